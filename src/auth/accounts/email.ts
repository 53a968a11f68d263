/** The one form in which addresses are stored and looked up. */
export function normalizeEmail(email: string): string {
  return email.toLowerCase();
}
