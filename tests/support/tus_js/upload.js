// Uploads one file with tus-js-client and prints what became of it as one line of JSON.
//   node upload.js '{"endpoint": …, "file": …, "headers": {…}, "parallel": 1, "memory": path, "stopAt": null}'
// `memory` is where the client remembers unfinished uploads; with `stopAt` the process ends after so many bytes.

import { createReadStream } from "node:fs";
import tus from "tus-js-client";
import { FileUrlStorage } from "tus-js-client/lib.es5/node/urlStorage.js";

const wanted = JSON.parse(process.argv[2]);
let retries = 0;

const upload = new tus.Upload(createReadStream(wanted.file), {
  endpoint: wanted.endpoint,
  headers: wanted.headers,
  chunkSize: 256 * 1024,
  parallelUploads: wanted.parallel,
  retryDelays: [0, 50, 100, 200, 400],
  metadata: { filename: "Bài giảng.bin" },
  urlStorage: new FileUrlStorage(wanted.memory),
  removeFingerprintOnSuccess: true,
  onShouldRetry: () => {
    retries += 1;
    return true;
  },
  onProgress: (sent) => {
    if (wanted.stopAt !== null && sent >= wanted.stopAt) {
      process.exit(3);
    }
  },
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => {
    console.log(JSON.stringify({ url: upload.url, retries, resumed }));
    process.exit(0);
  },
});
const before = await upload.findPreviousUploads();
const resumed = before.length > 0;
if (resumed) {
  upload.resumeFromPreviousUpload(before[0]);
}
upload.start();
