"use strict";
// Logging in and out. What is refused is said in the desk's own words, as text.
const session = "api/v1/session?lang=" + document.documentElement.lang;
const form = document.getElementById("login");
const leave = document.getElementById("logout");

if (form) form.onsubmit = (event) => {
  event.preventDefault();
  const { name, password } = Object.fromEntries(new FormData(form));
  const headers = { "content-type": "application/json" };
  attempt(form.querySelector("button"), () =>
    fetch(session, { method: "POST", headers, body: JSON.stringify({ name, password }) }));
};

if (leave) leave.onclick = () => attempt(leave, async () => {
  const { csrf } = await (await fetch(session)).json();
  return fetch(session, { method: "DELETE", headers: csrf ? { "x-csrf-token": csrf } : {} });
});

async function attempt(button, send) {
  const refusal = document.getElementById("refusal");
  button.disabled = true;
  refusal.hidden = true;
  try {
    const answer = await send();
    if (answer.ok) return location.reload();
    const problem = await answer.json();
    refusal.textContent = `${problem.detail || problem.title}. ${problem.next || ""}`;
  } catch (error) {
    refusal.textContent = refusal.dataset.lost;
  }
  refusal.hidden = false;
  button.disabled = false;
}
