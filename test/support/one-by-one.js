import JestRunner from 'jest-runner';

/** Runs test files one after another. */
export default class OneByOne extends (JestRunner.default ?? JestRunner) {
  isSerial = true;
}
