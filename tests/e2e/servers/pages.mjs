// The pages of the development servers: plain forms that people and tests can use, without a request to anybody.

/** A complete document around `body`, which is trusted HTML: what comes from a request goes through `text`. */
export function page(title, body) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${text(title)}</title>
<style>
  :root { color-scheme: light dark; --ink: light-dark(#1b1c20, #ececf0); --surface: light-dark(#fff, #17181c);
    --edge: light-dark(#8a8c94, #7d7f88); --accent: light-dark(#2f5bd0, #9db7ff); --on-accent: light-dark(#fff, #17181c); }
  body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--surface);
    max-inline-size: 24rem; margin: 10vh auto; padding-inline: 1rem; }
  h1 { font-size: 1.375rem; line-height: 1.25; }
  label { display: block; margin-block: 1rem .375rem; font-weight: 600; }
  input { font: inherit; color: inherit; background: transparent; inline-size: 100%; box-sizing: border-box;
    padding: .5rem; border: 1px solid var(--edge); border-radius: .375rem; }
  button { font: inherit; color: var(--accent); background: transparent; min-block-size: 2.75rem; padding-inline: 1rem;
    border: 1px solid currentcolor; border-radius: .375rem; margin-block-start: 1.5rem; margin-inline-end: .5rem; }
  button.primary { color: var(--on-accent); background: var(--accent); border-color: transparent; }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  code { overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
<h1>${text(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

/** The login page. Any password will do: what is tested here is the client. */
export function loginPage({ clientId }) {
  return page(
    "Sign in to the development server",
    `<p>For <code>${text(clientId)}</code>. The users are <code>alice</code> and <code>bob</code>; any password will do.</p>
<form method="post">
<label for="user">User name</label>
<input id="user" name="user" type="text" autocomplete="username" autocapitalize="none" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password">
<button class="primary" name="choice" value="login">Continue</button>
<button name="choice" value="cancel" formnovalidate>Cancel</button>
</form>`,
  );
}

/** The consent page: which client asks `user` for what. */
export function consentPage({ clientId, user, scopes }) {
  return page(
    "Allow access?",
    `<p><code>${text(clientId)}</code> asks <strong>${text(user)}</strong> for:</p>
<ul>
${scopes.map((scope) => `<li><code>${text(scope)}</code></li>`).join("\n")}
</ul>
<form method="post">
<button class="primary" name="choice" value="allow">Allow</button>
<button name="choice" value="deny">Deny</button>
</form>`,
  );
}

/** Escapes for text and for quoted attributes. */
export function text(value) {
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(value).replace(/[&<>"']/g, (character) => entities[character]);
}
