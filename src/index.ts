import { main } from './main.ts';
import { post } from './post.ts';
import { isPost } from './runtime/saved-state.ts';

// One file for both entries of action.yml: what they share is loaded once and shipped once. No await at the top: the
// bundle would become an asynchronous module, which Node has to parse once more at every start.
const step = isPost(process.env) ? post(process.env) : main(process.env);
step.then(
  // Watches and idle connections must not keep the step alive.
  code => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
