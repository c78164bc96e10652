// The API over HTTP, with the token of whoever signed in. The token comes in a link (#token=...), or is asked for when
// the server wants one; it is kept for the tab only, and never in an address that is shown.
import { Problem, type Api } from "./panel";

const STORED = "houtao.token";

export function token(): string {
  try {
    return sessionStorage.getItem(STORED) ?? "";
  } catch {
    return kept;
  }
}

let kept = "";

export function setToken(value: string): void {
  kept = value;
  try {
    sessionStorage.setItem(STORED, value);
  } catch {
    // A browser that forbids storage forgets it with the page.
  }
}

// Takes #token=... out of the address; what else the hash says stays.
export function takeToken(): void {
  const parts = location.hash.replace(/^#/, "").split("&");
  const given = parts.find((part) => part.startsWith("token="));
  if (given === undefined) return;
  setToken(decodeURIComponent(given.slice("token=".length)));
  const rest = parts.filter((part) => part !== given).join("&");
  history.replaceState(null, "", location.pathname + location.search + (rest ? `#${rest}` : ""));
}

export function authorized(headers: Record<string, string> = {}): Record<string, string> {
  const value = token();
  return value ? { ...headers, Authorization: `Bearer ${value}` } : headers;
}

async function problemOf(reply: Response): Promise<Problem> {
  const text = await reply.text().catch(() => "");
  try {
    return problemFrom(reply.status, JSON.parse(text), reply.statusText);
  } catch {
    return new Problem(reply.status, reply.statusText || `HTTP ${reply.status}`, "");
  }
}

// Of the body of an answer: problem+json (RFC 9457), or OSRM's {code, message}.
export function problemFrom(status: number, said: any, otherwise = ""): Problem {
  const where = said.errors?.[0];
  const place = where?.pointer ?? where?.line;
  const own = String(said.detail ?? "");
  const more = where?.detail && !own.includes(where.detail) ? `${place}: ${where.detail}` : own.includes(String(place)) ? "" : place;
  const detail = where && more ? `${own} (${more})` : said.detail;
  return new Problem(status, said.title ?? said.code ?? otherwise, detail ?? said.message ?? "");
}

// `signIn` is asked for a token when the server wants one or another; it resolves when there is one.
export function makeApi(signIn: () => Promise<void>): Api {
  async function call(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Response> {
    for (;;) {
      const plain = body === undefined || typeof body === "string";
      const init: RequestInit = {
        method,
        headers: authorized({
          Accept: "application/json, application/geo+json, application/problem+json",
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        }),
        body: plain ? (body as string | undefined) : JSON.stringify(body),
        cache: "no-cache",
      };
      let reply: Response;
      try {
        reply = await fetch(path, init);
      } catch (error) {
        throw new Problem(0, "connection", error instanceof Error ? error.message : String(error));
      }
      if (reply.status === 401) {
        await signIn();
        continue;
      }
      if (!reply.ok) throw await problemOf(reply);
      return reply;
    }
  }

  async function read<T>(reply: Response): Promise<T> {
    if (reply.status === 204) return undefined as T;
    const text = await reply.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  return {
    get: async <T>(path: string) => read<T>(await call("GET", path, undefined, {})),
    tagged: async <T>(path: string) => {
      const reply = await call("GET", path, undefined, {});
      const etag = reply.headers.get("ETag") ?? "";
      return { value: await read<T>(reply), etag };
    },
    text: async (path, accept) => (await call("GET", path, undefined, { Accept: accept })).text(),
    post: async <T>(path: string, body: unknown, headers = {}) => read<T>(await call("POST", path, body, headers)),
    put: async <T>(path: string, body: unknown, headers = {}) => read<T>(await call("PUT", path, body, headers)),
    patch: async <T>(path: string, body: unknown, headers = {}) =>
      read<T>(await call("PATCH", path, body, { "Content-Type": "application/merge-patch+json", ...headers })),
    del: async (path: string, headers = {}) => {
      await call("DELETE", path, undefined, headers);
    },
  };
}
