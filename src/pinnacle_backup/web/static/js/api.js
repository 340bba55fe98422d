// Requests to the API: JSON both ways, and problems (RFC 9457) as errors with words for people.

/** What the server answered instead of doing it. */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} body */
  constructor(status, { title = "That did not work", detail = "", hint = "", code = "", errors = [], wait = 0 }) {
    super(detail || title);
    this.status = status;
    this.title = title;
    this.hint = hint;
    this.code = code;
    this.wait = wait;
    /** @type {{field: string, message: string}[]} */ this.errors = errors;
  }
}

/**
 * Returns the answer's address (Location) and JSON.
 * @param {string} path
 * @param {{method?: string, body?: any, signal?: AbortSignal}} [options]
 * @throws {Problem} where the server refuses or cannot be reached
 */
export async function api(path, { method = "GET", body, signal } = {}) {
  const response = await fetch(path, {
    method,
    signal: signal || AbortSignal.timeout(60000),
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  }).catch((error) => {
    if (signal?.aborted) throw error;
    throw new Problem(0, { title: "The server does not answer", hint: "See whether it runs, then try again." });
  });
  const json = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, { ...json, wait: Number(response.headers.get("Retry-After")) });
  return { location: response.headers.get("Location") || "", json };
}
