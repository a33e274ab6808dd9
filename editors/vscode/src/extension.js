// Starts `engine lsp` for YAML files, and runs previews and tests in a terminal.
// The server decides which YAML files are Snapline's, and says nothing about the others.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const SELECTOR = [
  { scheme: "file", language: "yaml" },
  { scheme: "untitled", language: "yaml" },
];

let client;

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("snapline.preview", preview),
    vscode.commands.registerCommand("snapline.runTest", runTest),
    vscode.commands.registerCommand("snapline.restart", restart),
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
  client = new LanguageClient(
    "snapline",
    "Snapline",
    { command, args: ["lsp"] },
    {
      documentSelector: SELECTOR,
      initializationOptions: { codeLens: settings().get("codeLens") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    const remedy =
      "Install it with: pip install 'snapline[lsp]', or set 'snapline.command' to the path of 'engine'.";
    vscode.window.showErrorMessage(`'${command} lsp' does not start. ${remedy}`);
  }
}

async function restart() {
  await client?.dispose();
  await start();
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

function engine(uri) {
  const chosen = settings().get("command");
  if (chosen) return chosen;
  const folder = uri && (vscode.workspace.getWorkspaceFolder(uri)?.uri ?? uri);
  const [bin, name] = process.platform === "win32" ? ["Scripts", "engine.exe"] : ["bin", "engine"];
  const own = folder && path.join(folder.fsPath, ".venv", bin, name);
  return own && fs.existsSync(own) ? own : "engine";
}

function settings() {
  return vscode.workspace.getConfiguration("snapline");
}

module.exports = { activate, deactivate };
