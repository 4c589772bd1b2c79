"use strict";
// The pages behind a link: /setup, /invite, /reset. The secret is in the fragment, which the browser keeps to itself.

const $ = (id) => document.getElementById(id);
const { purpose, path } = document.body.dataset;
const token = location.hash.slice(1);

async function post(to, body) {
  const answer = await fetch(to, { method: "POST", body: JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.message || "The server can't do this right now. Try again soon.");
  return said;
}

async function check() {
  try {
    const link = await post("/api/links/check", { token, purpose });
    history.replaceState(null, "", path); // nobody who looks over a shoulder needs the secret
    $("least").textContent = `At least ${link.password_characters} characters.`;
    $("password").minLength = link.password_characters;
    if (link.name) {
      $("username").value = link.name;
      $("lead").textContent = `${link.name}: ${$("lead").textContent}`;
    }
    $("account").hidden = false;
  } catch (error) {
    $("lead").hidden = true;
    $("error").textContent = error.message;
  }
}

$("account").onsubmit = async (event) => {
  event.preventDefault();
  $("error").textContent = "";
  const password = $("password").value;
  if (password !== $("repeated").value) {
    $("error").textContent = "The two passwords are not the same.";
    return;
  }
  const body = { token, password };
  if (purpose !== "reset") Object.assign(body, { username: $("username").value, display_name: $("display_name").value });
  const button = event.target.querySelector("button");
  button.disabled = true;
  try {
    await post(path, body);
    location.replace("/");
  } catch (error) {
    $("error").textContent = error.message;
    button.disabled = false;
  }
};

check();
