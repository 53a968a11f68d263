import { Pool } from 'pg';

/**
 * A small pool of its own for the ledger's prepared statements, so that slow listings can never starve admission.
 * Injected by class; ends with the application.
 */
export class HotPool extends Pool {}
