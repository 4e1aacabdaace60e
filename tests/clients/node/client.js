// Calls a MediaConduit server: streams an answer, cancels another one, and reads a typed error.
//
//     node client.js localhost:50051 cowsay/default "hello"
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const protos = fileURLToPath(new URL('../../../protos', import.meta.url));

// No generated code: the contract is read when the program starts.
const { mediaconduit, google } = grpc.loadPackageDefinition(
  protoLoader.loadSync(
    ['mediaconduit/v1/provider.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto'],
    { includeDirs: [protos, `${protos}/third_party`], enums: String, longs: String, oneofs: true },
  ),
);

/** The input of every call here: one turn of one text. */
const ask = (model, text) => ({ model, turns: [{ role: 'ROLE_USER', parts: [{ text }] }] });

/** A deadline travels with the call, down to the model. */
const withinAMinute = () => ({ deadline: Date.now() + 60_000 });

/** Prints the text as it comes. A response holds one or more events; the last one of a success is `completed`. */
async function printAnswer(provider, model, text) {
  // `lenient`: a model without this option answers all the same.
  const options = { text: { maxOutputTokens: 64 }, lenient: true };
  let completed;
  let count = 0;
  for await (const { events } of provider.transform({ ...ask(model, text), options }, withinAMinute())) {
    count += events.length;
    for (const event of events) {
      process.stdout.write(event.outputDelta?.text ?? '');
      process.stdout.write(event.outputCompleted?.part?.text ?? ''); // an output that was not streamed
      completed ??= event.completed;
    }
  }
  if (!completed?.finishes.length) throw new Error('the answer has no end');
  console.log(`\ncompleted: ${completed.finishes[0].reason} ${count} events`);
}

/** Cancels the call, and with it the model's work, once the output has begun. */
async function cancelAnswer(provider, model, text) {
  const call = provider.transform(ask(model, text), withinAMinute());
  let begun = false;
  let count = 0;
  try {
    for await (const { events } of call) {
      if (begun) continue; // what was under way already
      count += events.length;
      begun = events.some((event) => event.outputDelta);
      if (begun) call.cancel(); // leaving the loop would not do it
    }
  } catch (error) {
    if (!begun || error.code !== grpc.status.CANCELLED) throw error;
    console.log(`cancelled after ${count} events`);
    return;
  }
  throw new Error('expected CANCELLED, but the answer ended by itself');
}

/** Asks for a model that is not there. */
async function provokeError(provider, model, text) {
  try {
    for await (const _ of provider.transform(ask(model, text), withinAMinute()));
  } catch (error) {
    if (reason(error) !== 'MODEL_NOT_FOUND') throw error;
    console.log(`error: ${reason(error)}`);
    return;
  }
  throw new Error('expected MODEL_NOT_FOUND, but there was an answer');
}

/** Why a call failed: the name of an ErrorReason; undefined when the error is not MediaConduit's. */
function reason(error) {
  const [packed] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!packed) return undefined;
  return google.rpc.Status.deserialize(packed)
    .details.filter((detail) => detail.type_url.endsWith('/google.rpc.ErrorInfo'))
    .map((detail) => google.rpc.ErrorInfo.deserialize(detail.value))
    .find((info) => info.domain === 'mediaconduit')?.reason;
}

if (process.argv.length !== 5) {
  console.error('usage: node client.js TARGET MODEL TEXT');
  process.exit(2);
}
const [target, model, text] = process.argv.slice(2);
const provider = new mediaconduit.v1.MediaProvider(target, grpc.credentials.createInsecure());
try {
  await printAnswer(provider, model, text);
  await cancelAnswer(provider, model, text);
  await provokeError(provider, `${model}-unknown`, text);
} catch (error) {
  console.error('failed:', error.message);
  process.exitCode = 1;
} finally {
  provider.close();
}
