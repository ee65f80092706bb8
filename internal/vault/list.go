package vault

import (
	"context"
	"strings"

	"hufu/internal/db"
	"hufu/internal/id"
)

// BatchesLike narrows a list of batches. Its zero value narrows nothing.
type BatchesLike struct {
	Stock id.Stock
	State BatchState
	Text  string // part of the name or the supplier, case not counting, or the whole id
}

// ImportsLike narrows a list of imports. Its zero value narrows nothing.
type ImportsLike struct {
	States []ImportState
	Text   string // part of the file's name, case not counting, or the whole id
}

var (
	batchesLike = db.SQL("vault.batches_like", `SELECT `+batchColumns+` FROM code_batches WHERE (id < $1 OR $1 = '') AND (stock_id = $2 OR $2 = '') AND (state = $3 OR $3 = '')
AND (lower(name) LIKE $4 ESCAPE '@' OR lower(supplier) LIKE $4 ESCAPE '@' OR id = $5) ORDER BY id DESC LIMIT $6`)
	importsLike = db.SQL("vault.imports_like", `SELECT `+importColumns+` FROM imports WHERE (id < $1 OR $1 = '') AND state <> 'receiving' AND state {{in $2 text}}
AND (lower(file_name) LIKE $3 ESCAPE '@' OR id = $4) ORDER BY id DESC LIMIT $5`)
	allImports = []ImportState{ImportReceived, ImportChecking, ImportChecked, ImportRunning, ImportReleasing, ImportPaused, ImportUndoing, ImportRestoring, ImportDone, ImportFailed, ImportCancelled, ImportUndone}
)

// holding is the pattern of what holds a text as it is written.
func holding(text string) string {
	return "%" + strings.NewReplacer("@", "@@", "%", "@%", "_", "@_").Replace(strings.ToLower(text)) + "%"
}

// FindBatches lists the batches that are like, in the order and within the bounds of Batches.
func FindBatches(ctx context.Context, tx *db.Tx, like BatchesLike, before id.Batch, n int) ([]*Batch, error) {
	return loadBatches(ctx, tx, batchesLike, before, like.Stock, string(like.State), holding(like.Text), like.Text, n)
}

// FindImports lists the imports that are like, in the order and within the bounds of Imports.
func FindImports(ctx context.Context, tx *db.Tx, like ImportsLike, before id.Import, n int) ([]*Import, error) {
	states := like.States
	if len(states) == 0 {
		states = allImports
	}
	return loadImports(ctx, tx, importsLike, before, db.Texts(states), holding(like.Text), like.Text, n)
}
