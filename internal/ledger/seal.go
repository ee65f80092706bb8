package ledger

// Seal is the hash of a seal over its transfers, in the order of entry and leg, after the
// seal before it in its chain (nil for the first). It is for whoever checks the book.
func Seal(before []byte, transfers []Transfer) []byte { return sum(before, transfers) }
