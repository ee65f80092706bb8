package main

import (
	"context"
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

// adminCommands are what whoever runs the machine may do to the staff without signing in.
// Each is on the audit trail under the name "system".
var adminCommands = map[string]func(ctx context.Context, e *env, a *app.App, args []string) error{
	"setup":   adminSetUp,
	"list":    adminList,
	"invite":  adminInvite,
	"reset":   adminReset,
	"roles":   adminRoles,
	"disable": adminDisable,
}

var _ = register(command{name: "admin", args: "setup | list | invite EMAIL NAME ROLE,... | reset EMAIL | roles EMAIL ROLE,... | disable EMAIL", summary: "admin", flags: storeFlags(),
	run: func(ctx context.Context, e *env, args []string) error {
		if len(args) == 0 || adminCommands[args[0]] == nil {
			return errUsage
		}
		a, err := app.Open(ctx, e.config(), e.log())
		if err != nil {
			return err
		}
		defer a.Close()
		return adminCommands[args[0]](ctx, e, a, args[1:])
	}})

func adminSetUp(ctx context.Context, e *env, a *app.App, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
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

func adminList(ctx context.Context, e *env, a *app.App, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
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
	if len(args) != 3 {
		return errUsage
	}
	roles, err := identity.ParseRoles(strings.Split(args[2], ","))
	if err != nil {
		return err
	}
	return adminLink(ctx, e, a, func(tx *db.Tx, now time.Time) (identity.Invited, error) {
		return a.Identity.Invite(ctx, tx, identity.System, identity.Invite{Email: args[0], Name: args[1], Lang: i18n.ZH, Roles: roles}, now)
	})
}

func adminReset(ctx context.Context, e *env, a *app.App, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
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
	if len(args) != 2 {
		return errUsage
	}
	roles, err := identity.ParseRoles(strings.Split(args[1], ","))
	if err != nil {
		return err
	}
	return adminDo(ctx, a, args[0], func(tx *db.Tx, party id.Party) error {
		return a.Identity.SetRoles(ctx, tx, identity.System, party, roles, a.Clock.Now())
	})
}

func adminDisable(ctx context.Context, e *env, a *app.App, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
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
