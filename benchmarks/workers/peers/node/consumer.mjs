// sqs-consumer, ten consumers in one process: `consumer.mjs single|batch`.
import { SQSClient } from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";
import { setTimeout as pause } from "node:timers/promises";

const isBatch = process.argv[2] === "batch";
const sqs = new SQSClient({});

async function handle(message) {
  JSON.parse(message.Body);
  if (process.env.BENCH_HANDLER === "io") await pause(5);
  return message;
}

for (let i = 0; i < 10; i++) {
  const consumer = Consumer.create({
    queueUrl: process.env.BENCH_QUEUE_URL,
    sqs,
    batchSize: 10,
    ...(isBatch
      ? { handleMessageBatch: (messages) => Promise.all(messages.map(handle)) }
      : { handleMessage: handle }),
  });
  consumer.on("error", (error) => console.error(error.message));
  consumer.on("processing_error", (error) => console.error(error.message));
  consumer.start();
}
