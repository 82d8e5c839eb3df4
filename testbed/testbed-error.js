/** Something that the person running the testbed can mend; the message says what. */
export class TestbedError extends Error {
  name = 'TestbedError';
}
