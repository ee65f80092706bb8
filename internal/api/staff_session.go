package api

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/identity"
)

// Password is the first step of a sign-in.
type Password struct {
	Email    string `json:"email" minLength:"1" maxLength:"254"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
}

// SecondCode is a code of the authenticator app, or a recovery code.
type SecondCode struct {
	Code string `json:"code" minLength:"1" maxLength:"64"`
}

// Enrolment is what an authenticator app needs.
type Enrolment struct {
	Secret string `json:"secret" doc:"Base 32, to be typed"`
	URL    string `json:"url" doc:"otpauth, to be shown as a QR picture"`
}

// Enrolled is a completed sign-in with the recovery codes, which are shown this once.
type Enrolled struct {
	Session  Session  `json:"session"`
	Recovery []string `json:"recovery_codes"`
}

type passwordInput struct{ Body Password }
type secondInput struct{ Body SecondCode }

func (a *API) session() {
	operation(a, "sign-in-staff", func(ctx context.Context, c *Call, in *passwordInput) (*Session, error) {
		opened, err := a.Identity.SignIn(ctx, a.Flows.DB, identity.SignIn{Email: in.Body.Email, Password: in.Body.Password, Origin: c.origin()}, a.Flows.Clock.Now())
		if err != nil {
			return nil, err
		}
		return showSession(opened), nil
	})
	operation(a, "second-factor", func(ctx context.Context, c *Call, in *secondInput) (*Session, error) {
		opened, err := identity.Commit(ctx, a.Flows.DB, func(tx *db.Tx) (db.Answer[identity.Opened], error) {
			return a.Identity.SecondFactor(ctx, tx, c.token, in.Body.Code, c.origin(), a.Flows.Clock.Now())
		})
		if err != nil {
			return nil, err
		}
		return showSession(opened), nil
	})
	operation(a, "start-enrolment", a.startEnrolment)
	operation(a, "finish-enrolment", a.finishEnrolment)
	operation(a, "confirm-session", func(ctx context.Context, c *Call, in *secondInput) (*Session, error) {
		s, err := identity.Commit(ctx, a.Flows.DB, func(tx *db.Tx) (db.Answer[*identity.Session], error) {
			return a.Identity.ConfirmCode(ctx, tx, c.token, in.Body.Code, c.origin(), a.Flows.Clock.Now())
		})
		if err != nil {
			return nil, err
		}
		return showSession(identity.Opened{Session: *s}), nil
	})
	operation(a, "get-session", func(_ context.Context, c *Call, _ *struct{}) (*Session, error) {
		return showSession(identity.Opened{Session: *c.session}), nil
	})
	operation(a, "sign-out-staff", func(ctx context.Context, c *Call, _ *struct{}) (*none, error) {
		return nil, a.signOut(ctx, c, identity.Console)
	})
}

func (a *API) startEnrolment(ctx context.Context, c *Call, _ *struct{}) (*Enrolment, error) {
	if c.session.Stage != identity.StageEnrol {
		return nil, fault.New(fault.Conflict, "request.enrolled")
	}
	var made identity.Enrolment
	err := a.Flows.DB.Do(ctx, func(tx *db.Tx) error {
		var err error
		made, err = a.Identity.StartEnrolment(ctx, tx, c.token, a.Flows.Clock.Now())
		return err
	})
	if err != nil {
		return nil, err
	}
	return &Enrolment{made.Secret, made.URL}, nil
}

func (a *API) finishEnrolment(ctx context.Context, c *Call, in *secondInput) (*Enrolled, error) {
	done, err := identity.Commit(ctx, a.Flows.DB, func(tx *db.Tx) (db.Answer[identity.Enrolled], error) {
		return a.Identity.FinishEnrolment(ctx, tx, c.token, in.Body.Code, c.origin(), a.Flows.Clock.Now())
	})
	if err != nil {
		return nil, err
	}
	return &Enrolled{*showSession(done.Opened), done.Recovery}, nil
}
