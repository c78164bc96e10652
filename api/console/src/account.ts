// Who is signed in, and what they may do. What a role may not do is not offered: elements with data-may="dispatcher" or
// "admin" are hidden from those below (style.css), by the role that the body carries. The server decides all the same.
import { setToken } from "./api";
import { fill, h } from "./dom";
import { t } from "./i18n";
import type { Api } from "./panel";

export type Role = "viewer" | "device" | "dispatcher" | "admin";

interface Caller {
  name: string;
  role: Role;
  token: boolean; // false: the server knows no tokens, and everybody is its admin
}

export class Account {
  readonly element = h("button", { type: "button", class: "quiet account", "data-tool": "account", hidden: true, onclick: () => this.show() });
  private caller: Caller | undefined;

  constructor(private readonly api: Api) {}

  // Who may see what is personal.
  get officer(): boolean {
    return this.caller?.role === "dispatcher" || this.caller?.role === "admin";
  }

  async read(): Promise<void> {
    const before = this.caller;
    this.caller = await this.api.get<Caller>("/v1/me").catch(() => undefined); // the connection's state is the stream's to show
    if (before && this.caller && before.name !== this.caller.name) location.reload(); // what the one before saw goes
    if (this.caller) document.body.dataset["role"] = this.caller.role;
    this.words();
  }

  words(): void {
    const { caller, element } = this;
    element.hidden = caller?.token !== true;
    if (!caller) return;
    fill(element, h("span", null, caller.name));
    element.setAttribute("aria-label", t("account.label", { name: caller.name, role: t(`role.${caller.role}`) }));
  }

  private show(): void {
    const { caller } = this;
    if (!caller) return;
    const close = (): void => {
      dialog.close();
      dialog.remove();
    };
    // The page begins anew and asks who it is: nothing of what the one before saw stays on it.
    const other = (): void => {
      setToken("");
      location.reload();
    };
    const dialog = h("dialog", { class: "sign", "aria-labelledby": "account-title", oncancel: () => setTimeout(() => dialog.remove()) },
      h("div", { class: "account-box" },
        h("h2", { id: "account-title" }, caller.name), h("p", null, t(`role.${caller.role}`)), h("p", null, t(`role.${caller.role}.may`)),
        h("button", { type: "button", class: "main", "data-do": "sign-out", onclick: other }, t("account.other")),
        h("button", { type: "button", onclick: close }, t("close"))));
    document.body.append(dialog);
    dialog.showModal();
  }
}
