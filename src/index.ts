import { main } from './main.ts';
import { post } from './post.ts';
import { isPost } from './runtime/saved-state.ts';

// One file for both entries of action.yml: what they share is loaded once and shipped once.
const code = isPost(process.env) ? await post(process.env) : await main(process.env);
// Watches and idle connections must not keep the step alive.
process.exit(code);
