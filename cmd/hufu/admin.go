package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"hufu/internal/app"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
)

// adminCommand is what whoever runs the machine may do to the staff without signing in. It
// is on the audit trail under the name "system".
type adminCommand struct {
	args []string // the words that follow its name
	run  func(ctx context.Context, e *env, a *app.App, args []string) error
}

var adminCommands = map[string]adminCommand{
	"setup":   {nil, adminSetUp},
	"list":    {nil, adminList},
	"invite":  {[]string{"EMAIL", "NAME", "ROLE,..."}, adminInvite},
	"reset":   {[]string{"EMAIL"}, adminReset},
	"roles":   {[]string{"EMAIL", "ROLE,..."}, adminRoles},
	"disable": {[]string{"EMAIL"}, adminDisable},
}

const adminUsage = "setup | list | invite EMAIL NAME ROLE,... | reset EMAIL | roles EMAIL ROLE,... | disable EMAIL"

var _ = register(command{name: "admin", args: adminUsage, least: 1, most: -1, summary: "admin", flags: storeFlags(adminFlags),
	run: func(ctx context.Context, e *env, args []string) error {
		c, ok := adminCommands[args[0]]
		words := command{name: "admin " + args[0], args: strings.Join(c.args, " "), most: len(c.args)}
		switch given := args[1:]; {
		case !ok:
			return refuse("cli.admin_unknown", "word", args[0], "words", adminUsage)
		case len(given) < len(c.args):
			return refuse("cli.word_missing", "command", words.name, "words", words.args)
		case len(given) > len(c.args):
			return extra(words, given)
		}
		a, err := app.Open(ctx, e.patient(), e.log())
		if err != nil {
			return err
		}
		defer a.Close()
		return c.run(ctx, e, a, args[1:])
	}})

// adminFlags are those of a command that makes links to the console.
func adminFlags(c *app.Config, f *flag.FlagSet) {
	c.BindOpen(f)
	c.BindAddress(f)
}

func adminSetUp(ctx context.Context, e *env, a *app.App, _ []string) error {
	address, err := a.SetUpAddress(ctx)
	if err != nil {
		return err
	}
	if address == "" {
		return fault.New(fault.Conflict, "admin.staff_exist")
	}
	fmt.Fprintln(e.out, address)
	return nil
}

func adminList(ctx context.Context, e *env, a *app.App, _ []string) error {
	return a.DB.View(ctx, func(tx *db.Tx) error {
		members, err := a.Identity.Members(ctx, tx)
		for _, m := range members {
			state := "active"
			switch {
			case !m.Active:
				state = "disabled"
			case m.Invited:
				state = "invited"
			}
			fmt.Fprintf(e.out, "%-32s %-20s %-10s %s\n", m.Email, m.Name, state, m.Roles)
		}
		return err
	})
}

func adminInvite(ctx context.Context, e *env, a *app.App, args []string) error {
	roles, err := identity.ParseRoles(strings.Split(args[2], ","))
	if err != nil {
		return err
	}
	return adminLink(ctx, e, a, func(tx *db.Tx, now time.Time) (identity.Invited, error) {
		return a.Identity.Invite(ctx, tx, identity.System, identity.Invite{Email: args[0], Name: args[1], Lang: i18n.ZH, Roles: roles}, now)
	})
}

func adminReset(ctx context.Context, e *env, a *app.App, args []string) error {
	return adminLink(ctx, e, a, func(tx *db.Tx, now time.Time) (identity.Invited, error) {
		party, err := memberByEmail(ctx, tx, a, args[0])
		if err != nil {
			return identity.Invited{}, err
		}
		return a.Identity.Reset(ctx, tx, identity.System, party, now)
	})
}

// adminLink makes a link in a transaction and prints it once that has committed.
func adminLink(ctx context.Context, e *env, a *app.App, make func(tx *db.Tx, now time.Time) (identity.Invited, error)) error {
	var made identity.Invited
	err := a.DB.Do(ctx, func(tx *db.Tx) error {
		var err error
		made, err = make(tx, a.Clock.Now())
		return err
	})
	if err == nil {
		fmt.Fprintln(e.out, e.lang.T("cli.link", "address", a.Config.PublicURL+"/console/join?token="+made.Token, "until", made.ExpiresAt.Format(time.DateTime)+" UTC"))
	}
	return err
}

func adminRoles(ctx context.Context, e *env, a *app.App, args []string) error {
	roles, err := identity.ParseRoles(strings.Split(args[1], ","))
	if err != nil {
		return err
	}
	return adminDo(ctx, a, args[0], func(tx *db.Tx, party id.Party) error {
		return a.Identity.SetRoles(ctx, tx, identity.System, party, roles, a.Clock.Now())
	})
}

func adminDisable(ctx context.Context, e *env, a *app.App, args []string) error {
	return adminDo(ctx, a, args[0], func(tx *db.Tx, party id.Party) error {
		return a.Identity.Disable(ctx, tx, identity.System, party, a.Clock.Now())
	})
}

func adminDo(ctx context.Context, a *app.App, email string, act func(tx *db.Tx, party id.Party) error) error {
	return a.DB.Do(ctx, func(tx *db.Tx) error {
		party, err := memberByEmail(ctx, tx, a, email)
		if err != nil {
			return err
		}
		return act(tx, party)
	})
}

func memberByEmail(ctx context.Context, tx *db.Tx, a *app.App, email string) (id.Party, error) {
	members, err := a.Identity.Members(ctx, tx)
	if err != nil {
		return "", err
	}
	for _, m := range members {
		if strings.EqualFold(m.Email, email) {
			return m.ID, nil
		}
	}
	return "", fault.New(fault.NotFound, "admin.no_member", "email", email)
}
