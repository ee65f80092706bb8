package identity

import (
	"time"

	"hufu/internal/limit"
	"hufu/internal/setting"
)

// SMSPerDay caps how many one-time codes the shop sends to phones in a day, and so what an
// attacker can make it spend (S40).
var SMSPerDay = setting.Int("identity.sms_per_day", 5000, 0, 10_000_000)

const day = 24 * time.Hour

// passwordLimits bounds guesses of a password: by source, and by account for all browsers
// that the account hasn't signed in from; one that it has gets a bucket of its own, so that
// strangers can't use up the owner's tries.
func (s *Service) passwordLimits(email string, o Origin) []limit.Limit {
	limits := []limit.Limit{
		{Bucket: s.bucket("password.source", o.source()), Max: 20, Window: 10 * time.Minute},
		{Bucket: s.bucket("password.source_day", o.source()), Max: 200, Window: day},
	}
	if device := s.knownDevice(email, o.Device); device != "" {
		return append(limits, limit.Limit{Bucket: s.bucket("password.device", email, device), Max: 10, Window: 10 * time.Minute})
	}
	return append(limits,
		limit.Limit{Bucket: s.bucket("password.account", email), Max: 10, Window: 10 * time.Minute},
		limit.Limit{Bucket: s.bucket("password.account_day", email), Max: 100, Window: day})
}

// secondLimits bounds guesses of a second factor. Only who has the password comes this far.
// At 30 a day, three codes of a million counting at a time, a guess takes thirty years.
func (s *Service) secondLimits(party string) []limit.Limit {
	return []limit.Limit{
		{Bucket: s.bucket("second", party), Max: 6, Window: 5 * time.Minute},
		{Bucket: s.bucket("second.day", party), Max: 30, Window: day},
	}
}

// confirmLimits bounds guesses of the password by who has a session.
func (s *Service) confirmLimits(party string) []limit.Limit {
	return []limit.Limit{{Bucket: s.bucket("confirm", party), Max: 10, Window: 10 * time.Minute}}
}

// sendLimits bounds the sending of codes: by contact, by source, and for the whole shop.
func (s *Service) sendLimits(to Contact, o Origin, perDay int64) []limit.Limit {
	limits := []limit.Limit{
		{Bucket: s.bucket("send.source", o.source()), Max: 10, Window: 10 * time.Minute},
		{Bucket: s.bucket("send.source_day", o.source()), Max: 50, Window: day},
	}
	if to.IsPhone() {
		limits = append(limits, limit.Limit{Bucket: "send.sms_day", Max: perDay, Window: day})
	}
	who := string(to)
	if device := s.knownDevice(who, o.Device); device != "" {
		return append(limits,
			limit.Limit{Bucket: s.bucket("send.device", who, device), Max: 1, Window: time.Minute},
			limit.Limit{Bucket: s.bucket("send.device_day", who, device), Max: 10, Window: day})
	}
	return append(limits,
		limit.Limit{Bucket: s.bucket("send.contact", who), Max: 1, Window: time.Minute},
		limit.Limit{Bucket: s.bucket("send.contact_hour", who), Max: 5, Window: time.Hour},
		limit.Limit{Bucket: s.bucket("send.contact_day", who), Max: 10, Window: day})
}

// redeemLimits bounds guesses of one-time codes by source; each code has its own tries.
func (s *Service) redeemLimits(o Origin) []limit.Limit {
	return []limit.Limit{{Bucket: s.bucket("redeem.source", o.source()), Max: 60, Window: 10 * time.Minute}}
}
