// One stream of server-sent events for the page, opened when somebody listens, reopened whatever happens.
import { all } from "./dom.js";

/** @type {Map<string, ((data: any) => void)[]>} */
const listeners = new Map();
/** @type {EventSource | undefined} */
let source;
let failures = 0;

/**
 * Calls back with the data of each event of a type; `resync` comes after a gap: ask for the state anew.
 * @param {string} type @param {(data: any) => void} handle
 */
export function listen(type, handle) {
  if (!listeners.has(type)) {
    listeners.set(type, []);
    if (source) attach(source, type);
  }
  listeners.get(type)?.push(handle);
  if (!source) open();
}

/** @param {string} type @param {any} data */
const dispatch = (type, data) => listeners.get(type)?.forEach((handle) => handle(data));

/** @param {EventSource} stream @param {string} type */
const attach = (stream, type) => stream.addEventListener(type, ({ data }) => dispatch(type, JSON.parse(data)));

/** @param {number} count */
function failed(count) {
  failures = count;
  for (const note of all("[data-offline]")) note.hidden = count < 2;
}

function open() {
  const stream = new EventSource("/api/v1/events");
  source = stream;
  for (const type of listeners.keys()) attach(stream, type);
  stream.onopen = () => {
    if (failures) dispatch("resync", {});
    failed(0);
  };
  stream.onerror = () => {
    failed(failures + 1);
    const closed = stream.readyState === EventSource.CLOSED; // else the browser tries again by itself
    if (closed) setTimeout(open, Math.min(1000 * 2 ** failures, 30000));
  };
}

addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => event.persisted && source && open());
