// Starts `engine lsp` for YAML files, and runs previews and tests in a terminal.
// The server decides which YAML files are Snapline's, and says nothing about the others.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");
const { CloseAction, ErrorAction, LanguageClient } = require("vscode-languageclient/node");

const IS_WINDOWS = process.platform === "win32";
const PROGRAM = IS_WINDOWS ? "engine.exe" : "engine";
const SELECTOR = [
  { scheme: "file", language: "yaml" },
  { scheme: "untitled", language: "yaml" },
];

const OUR_KEYS = /^(snaps|cases|pins)[ \t]*:/m;
const REMEDY =
  "Install it with pip install 'snapline[lsp]' into the folder's .venv, or name its path in the settings.";

let client;
let hasExplained = false;

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("snapline.preview", preview),
    vscode.commands.registerCommand("snapline.runTest", runTest),
    vscode.commands.registerCommand("snapline.restart", restart),
    vscode.workspace.onDidOpenTextDocument(startFor),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("snapline")) restart();
    }),
  );
  await start();
}

async function deactivate() {
  await client?.stop();
}

async function start() {
  const command = engine(vscode.workspace.workspaceFolders?.[0]?.uri);
  if (!isInstalled(command)) return explain(`The command '${command}' was not found.`);
  client = new Client(
    "snapline",
    "Snapline",
    { command, args: ["lsp"] },
    {
      documentSelector: SELECTOR,
      initializationOptions: { codeLens: settings().get("codeLens") },
      initializationFailedHandler: () => false, // it shows nothing, and does not try again
      errorHandler: {
        error: (...given) => client.usual?.error(...given) ?? { action: ErrorAction.Continue },
        closed: () => client.usual?.closed() ?? { action: CloseAction.DoNotRestart },
      },
    },
  );
  try {
    await client.start();
    client.usual = client.createDefaultErrorHandler();
  } catch {
    explain(`'${command} lsp' does not start.`);
  }
}

// Until it has started, errors go only to the output: `explain` says what to do.
class Client extends LanguageClient {
  usual; // how errors are handled once it has started

  error(message, data, showNotification) {
    super.error(message, data, this.usual ? showNotification : false);
  }
}

async function restart() {
  hasExplained = false;
  await client?.dispose().catch(() => {}); // one that has not started cannot be stopped
  client = undefined;
  await start();
}

// Said once, and only where somebody works on a file that the server is for.
function explain(mistake) {
  if (hasExplained || !vscode.workspace.textDocuments.some(isOurs)) return;
  hasExplained = true;
  const actions = client ? ["Show Output", "Open Settings", "Retry"] : ["Open Settings", "Retry"];
  vscode.window.showErrorMessage(`${mistake} ${REMEDY}`, ...actions).then((chosen) => {
    if (chosen === "Show Output") client?.outputChannel.show();
    if (chosen === "Open Settings") openSetting();
    if (chosen === "Retry") restart();
  });
}

function openSetting() {
  vscode.commands.executeCommand("workbench.action.openSettings", "snapline.command");
}

async function startFor(document) {
  if (!client && isOurs(document)) await start();
}

function isOurs(document) {
  return document.languageId === "yaml" && OUR_KEYS.test(document.getText());
}

// The snap is an argument of the lens; from the palette it is the one that the cursor is in.
async function preview(uri, label) {
  const target = await named(uri, label);
  if (target) run(target.uri, `Preview to ${target.name}`, ["preview", target.uri.fsPath, "--to", target.name]);
}

async function runTest(uri, name) {
  const target = await named(uri, name);
  if (target) run(target.uri, `Test ${target.name}`, ["test", target.uri.fsPath, "-k", `::${target.name}`]);
}

async function named(uri, name) {
  if (uri) return { uri: vscode.Uri.parse(uri), name };
  const editor = vscode.window.activeTextEditor;
  if (!editor) return undefined;
  /** @type {vscode.DocumentSymbol[] | undefined} */
  const sections = await vscode.commands.executeCommand(
    "vscode.executeDocumentSymbolProvider",
    editor.document.uri,
  );
  const cursor = editor.selection.active;
  for (const section of sections ?? []) {
    if (!["snaps", "cases"].includes(section.name)) continue;
    const found = section.children.find((each) => each.range.contains(cursor));
    if (found) return { uri: editor.document.uri, name: found.name };
  }
  vscode.window.showInformationMessage("Place the cursor in a snap or a case first.");
  return undefined;
}

// No shell is involved, so labels need no quotes.
function run(uri, title, args) {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const cwd = folder?.uri.fsPath ?? path.dirname(uri.fsPath);
  const task = new vscode.Task(
    { type: "snapline" },
    folder ?? vscode.TaskScope.Global,
    title,
    "Snapline",
    new vscode.ProcessExecution(engine(uri), args, { cwd }),
  );
  task.presentationOptions = { clear: true, panel: vscode.TaskPanelKind.Shared };
  vscode.tasks.executeTask(task);
}

// The one of the setting, of the folder's environment or one around it, or of the PATH.
function engine(uri) {
  const chosen = settings().get("command");
  if (chosen) return chosen;
  const folder = uri && (vscode.workspace.getWorkspaceFolder(uri)?.uri ?? uri);
  const own = folders(folder?.fsPath)
    .map((each) => path.join(each, ".venv", IS_WINDOWS ? "Scripts" : "bin", PROGRAM))
    .find((each) => fs.existsSync(each));
  return own ?? "engine";
}

function folders(start) {
  const found = [];
  for (let each = start; each && !found.includes(each); each = path.dirname(each)) found.push(each);
  return found;
}

function isInstalled(command) {
  if (path.basename(command) !== command) return fs.existsSync(command);
  const name = IS_WINDOWS && !path.extname(command) ? `${command}.exe` : command;
  const places = (process.env.PATH ?? "").split(path.delimiter);
  return places.some((each) => fs.existsSync(path.join(each, name)));
}

function settings() {
  return vscode.workspace.getConfiguration("snapline");
}

module.exports = { activate, deactivate };
