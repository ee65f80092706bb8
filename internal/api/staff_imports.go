package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/tabular"
	"hufu/internal/vault"
)

// maxImport is how large a file of codes may be, with the form around it.
const maxImport = vault.MaxImportFile + 64<<10

// Import is one run of taking a supplier's file in.
type Import struct {
	ID        id.Import         `json:"id"`
	Batch     id.Batch          `json:"batch,omitempty" doc:"Once it runs"`
	Stock     id.Stock          `json:"stock"`
	FileName  string            `json:"file_name"`
	FileHash  string            `json:"sha256"`
	FileSize  int64             `json:"file_size"`
	State     vault.ImportState `json:"state" enum:"receiving,received,checking,checked,running,releasing,paused,undoing,restoring,done,failed,cancelled,undone"`
	Next      vault.ImportState `json:"next_state,omitempty" doc:"Where a paused one goes on, or one that is undone ends"`
	Name      string            `json:"name"`
	Issuer    string            `json:"issuer"`
	Supplier  string            `json:"supplier,omitempty"`
	WholeOnly bool              `json:"whole_only"`
	Rows      int64             `json:"rows" doc:"Of the file; 0 until it was checked"`
	Done      int64             `json:"done" doc:"Rows handled in this state"`
	Rate      int64             `json:"rows_per_second"`
	Left      int64             `json:"seconds_left,omitempty"`
	Added     int64             `json:"added"`
	Repeated  int64             `json:"repeated" doc:"In the file"`
	Known     int64             `json:"known" doc:"In the store already"`
	Invalid   int64             `json:"invalid"`
	Why       string            `json:"why,omitempty" doc:"What ended it, and what to do"`
	WhyCode   string            `json:"why_code,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
	CreatedBy string            `json:"created_by"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// ImportColumns says which column, from 0, holds what.
type ImportColumns struct {
	Code     *int64 `json:"code,omitempty" minimum:"0" maximum:"255"`
	Serial   *int64 `json:"serial,omitempty" minimum:"0" maximum:"255"`
	Account  *int64 `json:"account,omitempty" minimum:"0" maximum:"255"`
	Password *int64 `json:"password,omitempty" minimum:"0" maximum:"255"`
	Expiry   *int64 `json:"expiry,omitempty" minimum:"0" maximum:"255"`
	Cost     *int64 `json:"cost,omitempty" minimum:"0" maximum:"255"`
	Note     *int64 `json:"note,omitempty" minimum:"0" maximum:"255"`
}

// ImportCheck says how a file is to be read and taken in; what is left out is as it was
// uploaded with, or guessed.
type ImportCheck struct {
	Name      string         `json:"name,omitempty" maxLength:"200"`
	Issuer    string         `json:"issuer,omitempty" maxLength:"60"`
	Supplier  string         `json:"supplier,omitempty" maxLength:"200"`
	WholeOnly bool           `json:"whole_only,omitempty" doc:"Take the file in only if no row has a problem"`
	Charset   string         `json:"charset,omitempty" enum:"utf-8,gb18030,utf-16le,utf-16be"`
	Delimiter string         `json:"delimiter,omitempty" enum:"comma,tab,semicolon,bar,dashes,spaces,line"`
	Heading   string         `json:"heading,omitempty" enum:"yes,no" doc:"Whether the first row names the columns"`
	Sheet     string         `json:"sheet,omitempty" maxLength:"100"`
	Columns   *ImportColumns `json:"columns,omitempty"`
	Zone      string         `json:"zone,omitempty" maxLength:"60" doc:"Where dates end" example:"Asia/Shanghai"`
	Currency  string         `json:"currency,omitempty" enum:"CNY,USD,EUR,GBP,HKD,JPY" doc:"Of a column of costs"`
	Cost      *Price         `json:"cost,omitempty" doc:"Of each code, if no column tells"`
	ExpiresAt *time.Time     `json:"expires_at,omitempty" doc:"Of codes, if no column tells"`
}

// ImportSample is the beginning of a file, masked.
type ImportSample struct {
	Kind    string        `json:"kind" enum:"text,xlsx"`
	Charset string        `json:"charset,omitempty"`
	Sheets  []string      `json:"sheets,omitempty"`
	Heading []string      `json:"heading,omitempty"`
	Columns int           `json:"columns"`
	Guess   ImportColumns `json:"guess" doc:"What the columns seem to be"`
	Rows    [][]string    `json:"rows"`

	HeadingGuess string `json:"heading_guess" enum:"yes,no,unsure" doc:"Whether the first row names the columns, as far as the file tells; where it is unsure the check must be told"`
	FirstRow     string `json:"first_row" doc:"The first row, masked"`
}

// ImportProblem is why a row can't be taken in.
type ImportProblem struct {
	Row    int64  `json:"row"`
	Column int    `json:"column,omitempty" doc:"From 1; absent for the row as a whole"`
	Code   string `json:"code"`
	Value  string `json:"value,omitempty" doc:"As much as may be shown"`
	Cause  string `json:"cause"`
	Remedy string `json:"remedy"`
}

// ImportRef names an import.
type ImportRef struct {
	Import id.Import `path:"import" maxLength:"40"`
}

// UploadInput is what is said of a file beside it.
type UploadInput struct {
	Stock    id.Stock `query:"stock" required:"true" minLength:"1" maxLength:"40"`
	Issuer   string   `query:"issuer" required:"true" minLength:"1" maxLength:"60" doc:"Whose codes they are; a code is there once an issuer"`
	Name     string   `query:"name" maxLength:"200" doc:"Of the batch; the file's if absent"`
	Supplier string   `query:"supplier" maxLength:"200"`
	FileName string   `query:"file_name" maxLength:"200" doc:"Of a file that isn't sent as part of a form"`
}

type checkInput struct {
	ImportRef
	Body ImportCheck
}

func (a *API) staffImports() {
	operation(a, "list-imports", a.listImports)
	operation(a, "get-import", func(ctx context.Context, c *Call, in *ImportRef) (*Import, error) {
		return a.told(c)(a.Flows.Import(ctx, in.Import))
	})
	operation(a, "create-import", a.upload)
	operation(a, "sample-import", a.sampleImport)
	operation(a, "check-import", a.checkImport)
	for name, act := range map[string]func(context.Context, id.Import, flow.Act) (*vault.Import, error){
		"run-import": a.startImport, "pause-import": a.pauseImport, "resume-import": a.resumeImport, "cancel-import": a.cancelImport, "undo-import": a.undoImport,
	} {
		operation(a, name, func(ctx context.Context, c *Call, in *ImportRef) (*Import, error) {
			i, err := act(ctx, in.Import, c.act())
			if fault.CodeOf(err) == "vault.import_state" {
				if is, missing := a.Flows.Import(ctx, in.Import); missing == nil && steered(name, is) {
					i, err = is, nil
				}
			}
			return a.told(c)(i, err)
		})
	}
	operation(a, "list-import-problems", a.importProblems)
	stream(a, "import-error-file", "text/csv", a.importErrors)
}

// steered reports whether an import stands where an operation was to bring it, so that the
// operation sent again is answered with how it stands.
func steered(name string, i *vault.Import) bool {
	on := i.State == vault.ImportRunning || i.State == vault.ImportReleasing || i.State == vault.ImportDone
	switch name {
	case "run-import":
		return on
	case "resume-import":
		return on || i.State == vault.ImportChecking || i.State == vault.ImportChecked
	case "pause-import":
		return i.State == vault.ImportPaused
	case "cancel-import":
		return i.State == vault.ImportCancelled || i.State == vault.ImportUndoing && i.Next == vault.ImportCancelled
	case "undo-import":
		return i.State == vault.ImportUndone || i.State == vault.ImportUndoing && i.Next == vault.ImportUndone
	}
	return false
}

func (a *API) startImport(ctx context.Context, i id.Import, by flow.Act) (*vault.Import, error) {
	return a.Flows.StartImport(ctx, i, by)
}

func (a *API) pauseImport(ctx context.Context, i id.Import, by flow.Act) (*vault.Import, error) {
	return a.Flows.PauseImport(ctx, i, by)
}

func (a *API) resumeImport(ctx context.Context, i id.Import, by flow.Act) (*vault.Import, error) {
	return a.Flows.ResumeImport(ctx, i, by)
}

func (a *API) cancelImport(ctx context.Context, i id.Import, by flow.Act) (*vault.Import, error) {
	return a.Flows.CancelImport(ctx, i, by)
}

func (a *API) undoImport(ctx context.Context, i id.Import, by flow.Act) (*vault.Import, error) {
	return a.Flows.UndoImport(ctx, i, by)
}

func (c *Call) act() flow.Act { return flow.Act{By: c.party(), Origin: c.address()} }

func (a *API) told(c *Call) func(*vault.Import, error) (*Import, error) {
	return func(i *vault.Import, err error) (*Import, error) {
		if err != nil {
			return nil, err
		}
		out := showImport(c, i)
		return &out, nil
	}
}

func showImport(c *Call, i *vault.Import) Import {
	out := Import{ID: i.ID, Batch: i.Batch, Stock: i.Stock, FileName: i.FileName, FileHash: i.FileHash, FileSize: i.FileSize, State: i.State, Next: i.Next,
		Name: i.Options.Name, Issuer: i.Options.Issuer, Supplier: i.Options.Supplier, WholeOnly: i.Options.WholeOnly,
		Rows: i.Total, Done: i.Done, Rate: i.Rate, Added: i.Added, Repeated: i.Repeated, Known: i.Known, Invalid: i.Invalid,
		CreatedAt: i.CreatedAt, CreatedBy: i.CreatedBy, UpdatedAt: i.UpdatedAt}
	if left, ok := i.Left(); ok {
		out.Left = int64(left/time.Second) + 1
	}
	if i.Why != nil {
		out.Why, out.WhyCode = c.Lang.Fault(i.Why), i.Why.Code
	}
	return out
}

func (a *API) listImports(ctx context.Context, c *Call, in *Paging) (*Page[Import], error) {
	before, err := in.after(c)
	if err != nil {
		return nil, err
	}
	var found []*vault.Import
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		found, err = vault.Imports(ctx, tx, id.Import(before), int(in.Limit)+1)
		return err
	})
	return pageOf(c, *in, found, func(i *vault.Import) string { return string(i.ID) }, func(i *vault.Import) Import { return showImport(c, i) }), err
}

// upload takes a file as it comes, piece by piece. A file that comes again under its key is
// only compared; of two at once the second is given up.
func (a *API) upload(ctx context.Context, c *Call, in *UploadInput) (*Import, error) {
	file, name, err := uploaded(c, in.FileName)
	if err != nil {
		return nil, err
	}
	known, err := a.knows(ctx, c)
	if err != nil {
		return nil, err
	}
	if known {
		sum := sha256.New()
		if _, err := io.Copy(sum, file); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "vault.import_upload")
		}
		c.body = []byte(hex.EncodeToString(sum.Sum(nil)))
		return nil, a.Flows.DB.Do(ctx, func(tx *db.Tx) error {
			if err := a.begin(ctx, tx, c); err != nil {
				return err
			}
			return fault.New(fault.Unavailable, "unavailable") // forgotten between two looks: send it again
		})
	}
	i, err := a.Flows.ReceiveImport(ctx, flow.NewImport{Stock: in.Stock, File: file, FileName: name, By: c.party(), Origin: c.address(),
		Options: vault.ImportOptions{Name: in.Name, Issuer: in.Issuer, Supplier: in.Supplier}})
	if err != nil {
		return nil, err
	}
	out := showImport(c, i)
	c.body = []byte(i.FileHash)
	err = a.Flows.DB.Do(ctx, func(tx *db.Tx) error { return a.also(ctx, tx, c, &out) })
	if err != nil {
		if _, bad := a.Flows.CancelImport(context.WithoutCancel(ctx), i.ID, c.act()); bad != nil {
			return nil, errors.Join(err, bad)
		}
		return nil, err
	}
	return &out, nil
}

// uploaded finds the file in a request: its whole body, or the first part of a form that is
// a file.
func uploaded(c *Call, name string) (io.Reader, string, error) {
	if c.r.ContentLength > maxImport {
		return nil, "", tooLarge(maxImport)
	}
	body := &patient{Reader: http.MaxBytesReader(c.w, c.r.Body, maxImport), wait: http.NewResponseController(c.w)}
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return nil, "", errUpload
	case kind == "multipart/form-data":
		form := multipart.NewReader(body, params["boundary"])
		for {
			part, err := form.NextPart()
			if err != nil {
				return nil, "", fault.Wrap(err, fault.Invalid, "request.no_file")
			}
			if part.FormName() == "file" {
				if name == "" {
					name = part.FileName()
				}
				return part, safeName(name), nil
			}
		}
	case kind == "text/csv" || kind == "text/plain" || kind == "application/octet-stream" || kind == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		return body, safeName(name), nil
	}
	return nil, "", errUpload
}

// patient gives each piece of a large body time of its own, where a server's time for a
// whole request would be too short.
type patient struct {
	io.Reader
	wait *http.ResponseController
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	_ = p.wait.SetReadDeadline(time.Now().Add(patience)) // a recorder has none
	return p.Reader.Read(b)
}

var errUpload = fault.New(fault.Invalid, "request.media_type")

// safeName is what is kept of a file's name: its last part, of letters that can be shown.
func safeName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), "\\", "/"))
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, name)
	if name == "." || name == "/" || name == "" {
		return "codes"
	}
	return name
}

func column(n int) *int64 {
	if n == vault.NoColumn {
		return nil
	}
	v := int64(n)
	return &v
}

func (a *API) sampleImport(ctx context.Context, _ *Call, in *ImportRef) (*ImportSample, error) {
	l, rows, err := a.Flows.SampleImport(ctx, in.Import, 20)
	if err != nil {
		return nil, err
	}
	i, err := a.Flows.Import(ctx, in.Import)
	if err != nil {
		return nil, err
	}
	first, row, err := a.Flows.FirstRow(ctx, i)
	if err != nil {
		return nil, err
	}
	g, is := first.Mapping, "no"
	switch {
	case !first.Sure:
		is = "unsure"
	case first.Heading:
		is = "yes"
	}
	out := &ImportSample{Kind: string(l.Kind), Charset: string(l.Charset), Sheets: l.Sheets, Heading: l.Heading, Columns: l.Columns, Rows: rows, HeadingGuess: is, FirstRow: row,
		Guess: ImportColumns{column(g.Code), column(g.Serial), column(g.Account), column(g.Password), column(g.Expiry), column(g.Cost), column(g.Note)}}
	if out.Rows == nil {
		out.Rows = [][]string{}
	}
	return out, nil
}

var delimiters = map[string]tabular.Delimiter{"comma": tabular.Comma, "tab": tabular.Tab, "semicolon": tabular.Semicolon, "bar": tabular.Bar, "dashes": tabular.FourDashes,
	"spaces": tabular.Spaces, "line": tabular.WholeLine}

func (a *API) checkImport(ctx context.Context, c *Call, in *checkInput) (*Import, error) {
	was, err := a.Flows.Import(ctx, in.Import)
	if err != nil {
		return nil, err
	}
	o, err := in.Body.options(was.Options)
	if err != nil {
		return nil, err
	}
	return a.told(c)(a.Flows.CheckImport(ctx, in.Import, o, c.act()))
}

func (b ImportCheck) options(was vault.ImportOptions) (vault.ImportOptions, error) {
	o := vault.ImportOptions{Name: b.Name, Issuer: b.Issuer, Supplier: b.Supplier, WholeOnly: b.WholeOnly, Charset: tabular.Charset(b.Charset), Delimiter: delimiters[b.Delimiter],
		Sheet: b.Sheet, Zone: b.Zone, Currency: money.Currency(b.Currency)}
	if o.Name == "" {
		o.Name = was.Name
	}
	if o.Issuer == "" {
		o.Issuer = was.Issuer
	}
	if o.Supplier == "" {
		o.Supplier = was.Supplier
	}
	switch b.Heading {
	case "yes":
		o.Heading = tabular.WithHeading
	case "no":
		o.Heading = tabular.WithoutHeading
	}
	if b.Cost != nil {
		if o.Cost = money.Of(b.Cost.Minor, money.Currency(b.Cost.Currency)); !o.Cost.Currency.Known() {
			return o, fault.New(fault.Invalid, "request.invalid").At("cost.currency", "catalogue.currency")
		}
	}
	if b.ExpiresAt != nil {
		o.Expires = *b.ExpiresAt
	}
	if m := b.Columns; m != nil {
		at := func(n *int64) int {
			if n == nil {
				return vault.NoColumn
			}
			return int(*n)
		}
		o.Mapping = &vault.Mapping{Code: at(m.Code), Serial: at(m.Serial), Account: at(m.Account), Password: at(m.Password), Expiry: at(m.Expiry), Cost: at(m.Cost), Note: at(m.Note)}
	}
	return o, nil
}

func (a *API) importProblems(ctx context.Context, c *Call, in *ImportRef) (*Page[ImportProblem], error) {
	out := &Page[ImportProblem]{Items: []ImportProblem{}}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		out.Items = out.Items[:0]
		if _, err := vault.ImportByID(ctx, tx, in.Import); err != nil {
			return err
		}
		all, err := vault.ProblemsOf(ctx, tx, in.Import)
		for _, p := range all {
			out.Items = append(out.Items, ImportProblem{Row: p.Row, Column: p.Column + 1, Code: p.Code, Value: p.Value, Cause: c.Lang.Field(p.Field()), Remedy: c.Lang.T(p.RemedyKey(), flatten(p.Params)...)})
		}
		return err
	})
	return out, err
}

// importErrors writes the rows with problems as a table. What goes wrong before its first
// byte is a problem; after it the connection is cut, so that nobody takes a part for all.
func (a *API) importErrors(ctx context.Context, c *Call, in *ImportRef) error {
	out := &firstWrite{c: c}
	err := a.Flows.ImportErrors(c.r.Context(), in.Import, c.act(), c.Lang, out)
	if err != nil && out.begun {
		a.Log.Error("a file of errors was cut", "trace", c.Trace, "import", in.Import, "error", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// firstWrite sets the headers of a download with its first byte.
type firstWrite struct {
	c     *Call
	begun bool
}

// Write implements io.Writer.
func (f *firstWrite) Write(b []byte) (int, error) {
	if !f.begun {
		f.begun = true
		h := f.c.header()
		h.Set("Content-Type", "text/csv; charset=utf-8")
		h.Set("Content-Disposition", `attachment; filename="errors.csv"`)
		h.Set("Cache-Control", "no-store")
	}
	_ = http.NewResponseController(f.c.w).SetWriteDeadline(time.Now().Add(patience)) // a recorder has none
	return f.c.w.Write(b)
}
