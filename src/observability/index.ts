export { attachRequestState, ClientGoneError, RequestState } from './request-state';
