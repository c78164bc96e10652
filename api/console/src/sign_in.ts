// The small form that asks for a token, once however many calls want one.
import { setToken, token } from "./api";
import { h } from "./dom";
import { t } from "./i18n";

let asking: Promise<void> | undefined;

export function signIn(): Promise<void> {
  asking ??= new Promise<void>((resolve) => {
    const before = token();
    const input = h("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
    const dialog = h("dialog", { class: "sign", "aria-labelledby": "sign-title" },
      h("form", { method: "dialog", onsubmit: (event: Event) => {
        event.preventDefault();
        const value = input.value.trim();
        if (value === "") return;
        setToken(value);
        dialog.close();
        dialog.remove();
        asking = undefined;
        resolve();
      } },
      h("h2", { id: "sign-title" }, t("sign.title")),
      h("p", null, t("sign.why")),
      before !== "" && h("p", { class: "bad", role: "alert" }, t("sign.bad")),
      h("label", { for: "token" }, t("sign.token")), input,
      h("button", { type: "submit", class: "main" }, t("sign.go"))));
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
  return asking;
}
