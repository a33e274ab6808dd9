// Runs the extension with a faked `vscode`, as the test says on standard input, and prints what it did.
"use strict";

const Module = require("node:module");
const path = require("node:path");

const wanted = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const did = { started: [], messages: [], commands: [] };
const listeners = { open: [] };
const uri = (fsPath) => ({ fsPath, scheme: "file", toString: () => `file://${fsPath}` });
const documentOf = (text) => ({ languageId: "yaml", getText: () => text, uri: uri("/x.yaml") });

const vscode = {
  commands: {
    registerCommand: (name) => ({ dispose() {}, name }),
    executeCommand: (...given) => did.commands.push(given),
  },
  window: {
    showErrorMessage: async (message, ...actions) => {
      did.messages.push({ message, actions });
      return did.messages.length === 1 ? wanted.chosen : undefined;
    },
  },
  workspace: {
    workspaceFolders: [{ uri: uri(wanted.folder) }],
    textDocuments: (wanted.documents ?? []).map(documentOf),
    getWorkspaceFolder: () => undefined,
    getConfiguration: () => ({ get: (name) => (wanted.settings ?? {})[name] }),
    onDidChangeConfiguration: () => ({ dispose() {} }),
    onDidOpenTextDocument: (listener) => listeners.open.push(listener),
  },
};

class LanguageClient {
  constructor(_id, _name, server) {
    this.server = server;
    this.outputChannel = { show: () => did.commands.push(["output"]) };
  }

  async start() {
    did.started.push(this.server.command);
    if (wanted.fails) throw new Error("write EPIPE");
  }

  createDefaultErrorHandler() {
    return {};
  }

  async dispose() {}
}

const load = Module._load;
Module._load = (name, ...rest) => {
  if (name === "vscode") return vscode;
  if (name === "vscode-languageclient/node") return { LanguageClient, ErrorAction: {}, CloseAction: {} };
  return load(name, ...rest);
};

async function main() {
  const extension = require(path.resolve(wanted.extension));
  await extension.activate({ subscriptions: [] });
  for (const text of wanted.opened ?? []) {
    const document = documentOf(text);
    vscode.workspace.textDocuments.push(document);
    for (const listener of listeners.open) await listener(document);
  }
  await new Promise(setImmediate);
  process.stdout.write(JSON.stringify(did));
}

main();
