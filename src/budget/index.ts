export { BudgetModule } from './budget.module';
export { RateLimitGuard } from './rate-limit.guard';
