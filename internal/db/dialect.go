package db

import (
	"fmt"
	"strconv"
	"strings"
)

// Dialect is one of the two databases. Statements are written in the SQL they share, with
// parameters $1, $2, ... and these tokens for what they don't:
//
//	{{in $1 text}}             = ANY($1) / IN (the members of $1); the argument is made by Texts or Blobs
//	{{each $1 text}}            the members of $1 as a table "each" with a column "value"; made by Texts too
//	{{values a text, b bigint}} the column list and source of an INSERT of a set
//	{{rows a text, b bigint}}   a table r(a, b) of the set, to be joined in UPDATE ... FROM
//	{{for update}}              row locks; nothing on SQLite, whose writer is alone
//	{{skip locked}}             the same, passing over rows that others hold
//	{{bytes}}                   the column type of byte strings
//	{{clustered}}               ends a CREATE TABLE whose rows lie in the order of their key
//	{{covering a, b}}           more columns of an index, where to look a row up costs more than to keep them;
//	                            nothing on PostgreSQL, where an UPDATE of one would touch all indexes
//	{{append only TABLE (a, b) (c)}} statements that make the database refuse UPDATE, DELETE and
//	                            REPLACE; in brackets each key of the table
//	{{greatest a, b}}           the larger of two values
type Dialect uint8

// The two dialects.
const (
	SQLite Dialect = iota
	Postgres
)

func (d Dialect) String() string {
	if d == Postgres {
		return "postgres"
	}
	return "sqlite"
}

// column is one member of a row token.
type column struct {
	name string
	typ  string // text, bigint, bytes, double
}

var pgTypes = map[string]string{"text": "text", "bigint": "bigint", "bytes": "bytea", "double": "double precision"}

// Expand replaces the tokens of text. It panics on a text that can't be right: statements
// are constants of the program.
func (d Dialect) Expand(text string) (string, []column) {
	var out strings.Builder
	var cols []column
	for {
		before, rest, found := strings.Cut(text, "{{")
		out.WriteString(before)
		if !found {
			break
		}
		token, after, closed := strings.Cut(rest, "}}")
		if !closed {
			panic("db: a token is not closed in " + text)
		}
		verb, arg, _ := strings.Cut(strings.TrimSpace(token), " ")
		switch verb {
		case "in":
			out.WriteString(d.in(arg))
		case "each":
			out.WriteString(d.each(arg))
		case "values":
			cols = parseColumns(arg)
			out.WriteString(d.values(cols))
		case "rows":
			cols = parseColumns(arg)
			out.WriteString(d.rows(cols))
		case "for":
			if d == Postgres {
				out.WriteString("FOR UPDATE")
			}
		case "skip":
			if d == Postgres {
				out.WriteString("FOR UPDATE SKIP LOCKED")
			}
		case "bytes":
			out.WriteString(map[Dialect]string{SQLite: "BLOB", Postgres: "BYTEA"}[d])
		case "clustered":
			if d == SQLite {
				out.WriteString("WITHOUT ROWID")
			}
		case "covering":
			if d == SQLite {
				out.WriteString(", " + arg)
			}
		case "append":
			out.WriteString(d.appendOnly(strings.TrimPrefix(arg, "only ")))
		case "greatest":
			out.WriteString(map[Dialect]string{SQLite: "MAX", Postgres: "GREATEST"}[d] + "(" + arg + ")")
		default:
			panic(fmt.Sprintf("db: unknown token {{%s}}", token))
		}
		text = after
	}
	if d == SQLite {
		// SQLite prepares a statement anew whenever a parameter is bound that is a LIMIT by itself;
		// of a sum it doesn't look at the value.
		return strings.ReplaceAll(out.String(), "LIMIT $", "LIMIT 0 + $"), cols
	}
	return out.String(), cols
}

func parseColumns(arg string) []column {
	var cols []column
	for part := range strings.SplitSeq(arg, ",") {
		f := strings.Fields(part)
		if len(f) != 2 || pgTypes[f[1]] == "" {
			panic(fmt.Sprintf("db: %q is not a column and a type", part))
		}
		cols = append(cols, column{f[0], f[1]})
	}
	return cols
}

func (d Dialect) in(arg string) string {
	f := strings.Fields(arg)
	if len(f) != 2 || pgTypes[f[1]] == "" {
		panic(fmt.Sprintf("db: {{in %s}} needs a parameter and a type", arg))
	}
	switch {
	case d == Postgres:
		return "= ANY(" + f[0] + "::" + pgTypes[f[1]] + "[])"
	case f[1] == "bytes":
		return "IN (SELECT unhex(value) FROM json_each(" + f[0] + "))"
	default:
		return "IN (SELECT value FROM json_each(" + f[0] + "))"
	}
}

// each gives the elements of a list as rows of a table "each" with a column "value".
func (d Dialect) each(arg string) string {
	f := strings.Fields(arg)
	if len(f) != 2 || f[1] == "bytes" || pgTypes[f[1]] == "" {
		panic(fmt.Sprintf("db: {{each %s}} needs a parameter and a type that isn't bytes", arg))
	}
	if d == Postgres {
		return "unnest(" + f[0] + "::" + pgTypes[f[1]] + "[]) AS each(value)"
	}
	return "json_each(" + f[0] + ") AS each"
}

func names(cols []column) string {
	s := make([]string, len(cols))
	for i, c := range cols {
		s[i] = c.name
	}
	return strings.Join(s, ", ")
}

func unnest(cols []column) string {
	s := make([]string, len(cols))
	for i, c := range cols {
		s[i] = fmt.Sprintf("$%d::%s[]", i+1, pgTypes[c.typ])
	}
	return "unnest(" + strings.Join(s, ", ") + ")"
}

func (d Dialect) values(cols []column) string {
	if d == Postgres {
		return "(" + names(cols) + ") SELECT * FROM " + unnest(cols)
	}
	marks := make([]string, len(cols))
	for i := range cols {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	return "(" + names(cols) + ") VALUES (" + strings.Join(marks, ", ") + ")"
}

func (d Dialect) rows(cols []column) string {
	if d == Postgres {
		return unnest(cols) + " AS r(" + names(cols) + ")"
	}
	s := make([]string, len(cols))
	for i, c := range cols {
		s[i] = fmt.Sprintf("$%d AS %s", i+1, c.name)
	}
	return "(SELECT " + strings.Join(s, ", ") + ") AS r"
}

// appendOnly gives the statements that protect a table, a line and a semicolon each. arg is the
// table and its keys.
//
// REPLACE on SQLite takes out the row that has the key, and no trigger on DELETE runs unless
// the connection asks for it. So a trigger looks for the key before each INSERT, whoever
// connects: half a microsecond a row. It fails instead of aborting, since what may abort
// within a trigger has every page copied first, which takes another; what the statement
// inserted before is new and harms nobody.
func (d Dialect) appendOnly(arg string) string {
	table, rest, _ := strings.Cut(arg, " ")
	var probes []string
	for key := range strings.SplitSeq(strings.Trim(rest, "()"), ") (") {
		var same []string
		for column := range strings.SplitSeq(key, ", ") {
			if column == "" || strings.ContainsAny(column, " ()") {
				panic(fmt.Sprintf("db: {{append only %s}} needs a table and its keys", arg))
			}
			same = append(same, column+" = NEW."+column)
		}
		probes = append(probes, fmt.Sprintf("SELECT RAISE(FAIL, '"+rowThere+"') FROM %[1]s WHERE %s;", table, strings.Join(same, " AND ")))
	}
	if d == Postgres {
		return fmt.Sprintf(`CREATE FUNCTION %[1]s_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN RAISE EXCEPTION 'rows of %[1]s are never changed'; END $body$;
CREATE TRIGGER %[1]s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %[1]s FOR EACH STATEMENT EXECUTE FUNCTION %[1]s_append_only();`, table)
	}
	return fmt.Sprintf(`CREATE TRIGGER %[1]s_no_update BEFORE UPDATE ON %[1]s BEGIN SELECT RAISE(ABORT, 'rows of %[1]s are never changed'); END;
CREATE TRIGGER %[1]s_no_delete BEFORE DELETE ON %[1]s BEGIN SELECT RAISE(ABORT, 'rows of %[1]s are never changed'); END;
CREATE TRIGGER %[1]s_no_replace BEFORE INSERT ON %[1]s BEGIN %[2]s END;`, table, strings.Join(probes, " "))
}

// rowThere is what an append-only table of SQLite says of a row whose key it has.
const rowThere = "rows of %[1]s are never changed, and this one is there"

// positional turns $1 ... $n into ? when they stand in order, which SQLite binds without
// looking names up, and into ?1 ... ?n when they don't.
func positional(text string) string {
	var plain, numbered strings.Builder
	next, inOrder := 1, true
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 >= len(text) || text[i+1] < '0' || text[i+1] > '9' {
			plain.WriteByte(text[i])
			numbered.WriteByte(text[i])
			continue
		}
		n := 0
		for i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9' {
			i++
			n = n*10 + int(text[i]-'0')
		}
		inOrder = inOrder && n == next
		next++
		plain.WriteByte('?')
		numbered.WriteString("?" + strconv.Itoa(n))
	}
	if inOrder {
		return plain.String()
	}
	return numbered.String()
}
