export { BudgetModule } from './budget.module';
export { BudgetsService } from './budgets.service';
export { RateLimitGuard } from './rate-limit.guard';
