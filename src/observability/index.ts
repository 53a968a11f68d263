export type { AnswerHeaders, AnswerRecorder } from './answer-recorder';
export { AppLogger } from './app-logger';
export { BackgroundTasks } from './background-tasks';
export { LOG_EVENTS, type LogEvent } from './log-events';
export { Metrics } from './metrics';
export { ObservabilityModule } from './observability.module';
export { OpenRequests, ShutdownError } from './open-requests';
export { redact, redactText } from './redact';
export { attachRequestState, ClientGoneError, RequestState } from './request-state';
