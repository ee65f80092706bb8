// Package identity owns who somebody is: shoppers (购物者), staff (员工), their sessions, and what
// each may do.
//
// Words. A party is a person. A shopper is known by a phone number or an e-mail address and
// signs in with a one-time code. Staff are known by an e-mail address and sign in with a
// password and a second factor: a TOTP code (RFC 6238) or a recovery code. A role gives
// rights. A session is a signed-in browser on one face: shop or console. A device token shows
// that a browser has signed in as this party before.
//
// Invariants
//   - Only hashes of tokens, one-time codes, recovery codes and passwords are stored; the TOTP
//     secret is sealed. Who reads the database can sign in as nobody.
//   - A set-up token, a link, a one-time code, a recovery code and a TOTP code work once,
//     whatever the number of requests or processes.
//   - The set-up token opens while no staff exist, and never again after it was used.
//   - There is at least one active owner from then on.
//   - Roles are read with the session on every request, so a change acts on the next one.
//   - Sessions end at sign-out, when the password or second factor is replaced, and when the
//     party is disabled.
//   - Whether an account exists doesn't show: not in the answer, the work or the limits.
//   - Guesses are limited for each account and each source. A browser with a device token has
//     a limit of its own, so that an attacker can't lock the owner out.
//
// Acts that count guesses answer with a db.Answer: a refusal in it is committed with its
// traces, where an error would roll them back; Commit does that for a caller. Passwords are
// hashed outside transactions, since that takes as long as a hundred purchases.
//
// Not owned here: what a party holds (entitlement), its money (ledger), the sending of
// codes and links (notify, by way of flow).
package identity
