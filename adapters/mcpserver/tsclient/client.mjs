// Drives a server of processes with the official SDK for TypeScript:
//
//	node client.mjs stdio procession mcp
//	node client.mjs http http://127.0.0.1:8642/mcp
//
// Of each step that succeeds it prints a line, "ok" and what the step shows, and of
// the engine its name. The first step that fails ends it, with exit code 1.

import assert from "node:assert/strict";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";

const [kind, ...rest] = process.argv.slice(2);

// What two sleeps that outlive their shell, one of them outside of its group, are.
const tree = "sleep 1000 & setsid sleep 1000 & echo up; wait";

async function step(what, body) {
	try {
		const result = await body();
		console.log(`ok ${what}`);
		return result;
	} catch (error) {
		console.log(`not ok ${what}: ${error?.stack ?? error}`);
		process.exit(1);
	}
}

// Session is one client's conversation with the server.
class Session {
	client = new Client({ name: "tsclient", version: "1" });
	transport = kind === "stdio"
		? new StdioClientTransport({ command: rest[0], args: rest.slice(1) })
		: new StreamableHTTPClientTransport(new URL(rest[0]));
	errors = []; // what the SDK tells of and does not throw

	// open also lists the tools, because only of those that it has listed does the SDK
	// check the results against their schemas.
	async open() {
		this.client.onerror = (error) => {
			// The answer to a call that was cancelled; the protocol lets it come, to be ignored.
			if (!/unknown message ID.*the call was cancelled/.test(error.message)) {
				this.errors.push(error);
			}
		};
		await this.client.connect(this.transport);
		this.tools = (await this.client.listTools()).tools;
	}

	// call calls a tool that must succeed.
	async call(name, args = {}, options = undefined) {
		const result = await this.client.callTool({ name, arguments: args }, undefined, options);
		assert.ok(!result.isError, `${name}: ${result.content[0]?.text}`);
		return result.structuredContent;
	}

	// refused calls a tool that must fail, with a text for the model.
	async refused(name, args, want) {
		const result = await this.client.callTool({ name, arguments: args });
		assert.equal(result.isError, true, `${name} succeeds`);
		assert.match(result.content[0].text, want);
	}

	async start(command, more = {}) {
		return (await this.call("start_process", { command, ...more })).process_id;
	}

	// read reads from a cursor on until there is a line; it returns what it has read
	// and where to read on.
	async read(process_id, cursor = 0) {
		let text = "";
		while (!text.endsWith("\n")) {
			const r = await this.call("get_process_output", { process_id, cursor, wait_seconds: 30 });
			assert.ok(r.output !== "", `after ${JSON.stringify(text)} there is nothing: ${JSON.stringify(r)}`);
			[text, cursor] = [text + r.output, r.next_cursor];
		}
		return [text, cursor];
	}

	async states() {
		const { processes } = await this.call("list_processes");
		return Object.fromEntries(processes.map((p) => [p.process_id, p.state]));
	}

	async close() {
		if (kind === "http") {
			await this.transport.terminateSession();
		}
		await this.client.close();
	}
}

const session = new Session();

await step("initialize", async () => {
	await session.open();
	assert.equal(session.client.getServerVersion().name, "procession");
	assert.ok(session.client.getServerCapabilities().tools);
	assert.match(session.client.getInstructions(), /wait_for_process/);
});

await step("every schema of every tool compiles", () => {
	const validator = new AjvJsonSchemaValidator();
	assert.ok(session.tools.length >= 8);
	for (const tool of session.tools) {
		for (const schema of [tool.inputSchema, tool.outputSchema]) {
			assert.equal(schema?.type, "object", tool.name);
			assert.equal(typeof validator.getValidator(schema), "function", tool.name);
		}
	}
});

const cat = await step("start a process with standard input", () =>
	session.start('echo "$PROCESSION_ENGINE"; exec cat', { stdin: true, name: "cat", labels: { agent: "ts" } }));

await step("send input, and read with a cursor", async () => {
	let [text, cursor] = await session.read(cat);
	console.log(`engine ${text.trim()}`);
	for (const data of ["grüße\n", "日本\u{1F600}\n"]) {
		const sent = await session.call("send_input", { process_id: cat, data });
		assert.deepEqual(sent, { process_id: cat, written: Buffer.byteLength(data), closed: false });
		[text, cursor] = await session.read(cat, cursor);
		assert.equal(text, data);
	}
});

await step("close its input, and wait for the process", async () => {
	assert.equal((await session.call("send_input", { process_id: cat, data: "end", close: true })).closed, true);
	const end = await session.call("wait_for_process", { process_id: cat });
	assert.match(end.output, /grüße\n日本\u{1F600}\nend$/u);
	assert.deepEqual([end.state, end.exit_code, end.signal], ["exited", 0, null]);
});

await step("kill a process and all that it has started", async () => {
	const id = await session.start(tree);
	await session.read(id);
	const killed = await session.call("kill_process", { process_id: id });
	assert.deepEqual(killed, { process_id: id, state: "exited", exit_code: null, signal: "SIGTERM" });
	assert.equal((await session.call("get_process_info", { process_id: id })).cause, "killed");
	assert.equal((await session.call("release_process", { process_id: id })).released, true);
	assert.ok(!(id in await session.states()));
});

const sleeper = await step("start one that sleeps", () => session.start("exec sleep 1000"));

await step("progress, which keeps a call from running out of time", async () => {
	const told = [];
	const r = await session.call("wait_for_process", { process_id: sleeper, timeout_seconds: 5 },
		{ onprogress: (p) => told.push(p), timeout: 4000, resetTimeoutOnProgress: true });
	assert.equal(r.state, "running");
	assert.ok(told.length >= 2, `${told.length} notifications`);
	for (const [i, p] of told.entries()) {
		assert.ok(i === 0 || p.progress > told[i - 1].progress);
		assert.ok(p.total === 5 && p.message.includes(sleeper), JSON.stringify(p));
	}
});

await step("cancel a call that waits", async () => {
	const abort = new AbortController();
	const call = session.call("wait_for_process", { process_id: sleeper },
		{ signal: abort.signal, onprogress: () => abort.abort("enough") });
	await assert.rejects(call, /enough/);
	assert.equal((await session.states())[sleeper], "running");
});

await step("errors are results that a model can read", async () => {
	await session.refused("kill_process", { process_id: "proc_000000000000" }, new RegExp(`no process "proc_000000000000".*${sleeper}`, "s"));
	await session.refused("start_process", { command: "no-such-program", args: ["x"] }, /not found/);
	await session.refused("start_process", { command: 5 }, /command is 5/);
	await session.refused("get_process_output", { process_id: sleeper, filter_lines: "a(b" }, /missing closing/);
	await assert.rejects(session.client.callTool({ name: "no_such_tool", arguments: {} }), /no_such_tool/);
});

await step("calls that wait do not hold up others", async () => {
	const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => session.start(`read line; exit ${i}`, { stdin: true })));
	const ends = ids.map((process_id) => session.call("wait_for_process", { process_id }));
	await Promise.all(ids.map((process_id) => session.call("send_input", { process_id, data: "\n" })));
	assert.deepEqual((await Promise.all(ends)).map((end) => end.exit_code), ids.map((_, i) => i));
});

if (kind === "http") {
	await step("a second session sees its own processes only", async () => {
		const other = new Session();
		await other.open();
		assert.notEqual(other.transport.sessionId, session.transport.sessionId);
		assert.deepEqual(await other.states(), {});
		await other.refused("kill_process", { process_id: sleeper }, /no process/);
		const id = await other.start("exec sleep 1000");
		await session.refused("get_process_info", { process_id: id }, /no process/);
		await other.close();
		assert.deepEqual(other.errors, []);
		assert.equal((await session.states())[sleeper], "running");
	});
}

await step("close, while processes run", async () => {
	await session.read(await session.start(tree));
	await session.close();
	assert.deepEqual(session.errors, []);
});
