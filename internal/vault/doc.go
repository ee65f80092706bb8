// Package vault owns card codes (卡密): their form, their making, their taking-in, and the
// keys that hide them at rest.
//
// Words. A code is a serial and a secret that somebody can use. Its canonical text is
// the one spelling over which equality is judged. A record is everything secret about
// one code, sealed as one piece. The blind index of a code is a keyed hash of its
// canonical text, by which it is found without decryption. A master key (KEK) wraps the
// other keys and stays outside the database; a data key (DEK) seals records.
//
// Invariants.
//   - No two codes of one generator key are alike, whatever the random source does: a
//     body is a permutation of a counter that is never handed out twice.
//   - Each code holds at least 80 bits of the system's random source, so it can't be
//     guessed even by who knows the generator key.
//   - Nothing secret appears in an error, a log line or a printed value.
//   - A sealed record opens only under the code id it was sealed for.
//
// Not owned here: how many are left (inventory), who holds one (entitlement), and
// throttling of guesses (risk).
package vault
