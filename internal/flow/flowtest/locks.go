package flowtest

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"hufu/internal/db"
)

// Locks records, for every transaction that committed, from which tables it locked rows,
// each once, in the order of their first lock. What the statements do on PostgreSQL
// counts, whatever database they ran on. It follows one transaction at a time.
type Locks struct {
	mu   sync.Mutex
	now  []string
	done [][]string
}

// Hooks are to be installed before the database is used.
func (l *Locks) Hooks() db.Hooks {
	byName := map[string]string{}
	for _, s := range db.Registered() {
		byName[s.Name()] = locks(s.Text(db.Postgres))
	}
	return db.Hooks{
		Stmt: func(name string) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			if t := byName[name]; t != "" && !slices.Contains(l.now, t) {
				l.now = append(l.now, t)
			}
			return nil
		},
		BeforeCommit: func() error {
			l.mu.Lock()
			defer l.mu.Unlock()
			if len(l.now) > 0 {
				l.done = append(l.done, l.now)
			}
			l.now = nil
			return nil
		},
	}
}

// Take gives what was recorded since it was called last, and forgets a transaction that did
// not commit.
func (l *Locks) Take() [][]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	done := l.done
	l.now, l.done = nil, nil
	return done
}

var (
	changes = regexp.MustCompile(`^(?:UPDATE|DELETE FROM) (\w+)`)
	upserts = regexp.MustCompile(`(?s)^INSERT INTO (\w+).*ON CONFLICT .*DO UPDATE`)
	reads   = regexp.MustCompile(`FROM (\w+)`)

	forUpdate, _ = db.Postgres.Expand("{{for update}}")
)

// locks is the table whose rows a statement locks, "" for none. A row that a transaction
// adds is nobody else's to lock.
func locks(text string) string {
	for _, form := range []*regexp.Regexp{changes, upserts} {
		if m := form.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	}
	if strings.Contains(text, forUpdate) {
		return reads.FindStringSubmatch(text)[1]
	}
	return ""
}
