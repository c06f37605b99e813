// Submits a program with grpc-js and prints what comes back, one JSON object a line.
//
//   node client.js ADDRESS reflection|FOLDER PROBLEM LANGUAGE SOURCE
//
// The API is learnt from the server itself (reflection) or from FOLDER/judge.proto and FOLDER/grpc_health.proto.
"use strict";

const fs = require("fs");
const path = require("path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [address, from, problem, language, source] = process.argv.slice(2);
const credentials = grpc.credentials.createInsecure();
const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };

function say(object) {
  console.log(JSON.stringify(object));
}

function deadline() {
  return { deadline: Date.now() + 60000 };
}

// As much of grpc.reflection.v1 as is needed to ask for a symbol: written here, not taken from the server's sources.
const reflection = {
  nested: { grpc: { nested: { reflection: { nested: { v1: { nested: {
    ServerReflection: {
      methods: {
        ServerReflectionInfo: {
          requestType: "ServerReflectionRequest", requestStream: true,
          responseType: "ServerReflectionResponse", responseStream: true,
        },
      },
    },
    ServerReflectionRequest: {
      oneofs: { message_request: { oneof: ["file_containing_symbol", "list_services"] } },
      fields: {
        host: { type: "string", id: 1 },
        file_containing_symbol: { type: "string", id: 4 },
        list_services: { type: "string", id: 7 },
      },
    },
    ServerReflectionResponse: {
      oneofs: {
        message_response: { oneof: ["file_descriptor_response", "list_services_response", "error_response"] },
      },
      fields: {
        file_descriptor_response: { type: "FileDescriptorResponse", id: 4 },
        list_services_response: { type: "ListServiceResponse", id: 6 },
        error_response: { type: "ErrorResponse", id: 7 },
      },
    },
    FileDescriptorResponse: { fields: { file_descriptor_proto: { rule: "repeated", type: "bytes", id: 1 } } },
    ListServiceResponse: { fields: { service: { rule: "repeated", type: "ServiceResponse", id: 1 } } },
    ServiceResponse: { fields: { name: { type: "string", id: 1 } } },
    ErrorResponse: { fields: { error_code: { type: "int32", id: 1 }, error_message: { type: "string", id: 2 } } },
  } } } } } } },
};

// The answers to some questions, in order.
function ask(questions) {
  const api = grpc.loadPackageDefinition(loader.fromJSON(reflection, options));
  const client = new api.grpc.reflection.v1.ServerReflection(address, credentials);
  return new Promise((resolve, reject) => {
    const answers = [];
    const call = client.ServerReflectionInfo(deadline());
    call.on("data", (answer) => answers.push(answer));
    call.on("error", reject);
    call.on("end", () => {
      client.close();
      resolve(answers);
    });
    questions.forEach((q) => call.write(q));
    call.end();
  });
}

function varint(n) {
  const bytes = [];
  for (; n > 127; n = Math.floor(n / 128)) bytes.push((n % 128) + 128);
  return Buffer.from([...bytes, n]);
}

// FileDescriptorProtos become a FileDescriptorSet: field 1, length-delimited, each.
function descriptorSet(files) {
  return Buffer.concat(files.flatMap((f) => [Buffer.from([0x0a]), varint(f.length), f]));
}

async function learnFromServer() {
  const [services, ...files] = await ask([
    { list_services: "" },
    { file_containing_symbol: "judge.v1.Judge" },
    { file_containing_symbol: "grpc.health.v1.Health" },
    { file_containing_symbol: "no.such.Symbol" },
  ]);
  const refused = files.pop();
  say({ services: services.list_services_response.service.map((s) => s.name).sort() });
  say({ unknown_symbol: refused.error_response.error_code });
  const found = files.flatMap((f) => f.file_descriptor_response.file_descriptor_proto);
  return loader.loadFileDescriptorSetFromBuffer(descriptorSet(found), options);
}

function learnFromFiles() {
  return loader.loadSync(["judge.proto", "grpc_health.proto"].map((f) => path.join(from, f)), options);
}

function unary(client, method, request) {
  return new Promise((resolve, reject) => {
    client[method](request, deadline(), (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

function watch(client, id) {
  return new Promise((resolve, reject) => {
    const call = client.WatchSubmission({ id }, deadline());
    call.on("data", (event) => say({ event }));
    call.on("error", reject);
    call.on("end", resolve);
  });
}

async function main() {
  const definition = from === "reflection" ? await learnFromServer() : learnFromFiles();
  const api = grpc.loadPackageDefinition(definition);
  const health = new api.grpc.health.v1.Health(address, credentials);
  const judge = new api.judge.v1.Judge(address, credentials);

  say({ health: (await unary(health, "Check", { service: "judge.v1.Judge" })).status });
  say({ languages: (await unary(judge, "ListLanguages", {})).languages });
  await unary(judge, "Submit", { problem: "../etc", sources: [{ name: "a.c", content: Buffer.from("x") }] })
    .catch((error) => say({ refused: { code: error.code, message: error.details } }));
  const file = { name: path.basename(source), content: fs.readFileSync(source) };
  const { id } = await unary(judge, "Submit", { problem, language, sources: [file], author: "grpc-js" });
  say({ id });
  await watch(judge, id);
  say({ submission: await unary(judge, "GetSubmission", { id, with_sources: true }) });
  judge.close();
  health.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
