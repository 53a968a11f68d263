export { HotPool } from './hot-pool';
