// Package rule is the language in which a store says who may have something, when and
// where: issuing rules first, and prices, risk and campaigns with facts of their own. It is
// pure: no database, no clock, no context. A caller declares the facts (a Vocabulary),
// compiles a text once (Compile), loads the facts the rule reads (Needs) and asks (Eval).
//
// # The language
//
// A rule is one condition about declared facts:
//
//	customer.orders == 0 and channel in ["app", "web"]
//	1 <= customer.orders <= 5 or "vip" in customer.tags
//	now >= "2026-11-11 10:00" and now <= "2026-11-12"
//	not (customer.level == "gold" or hasAny(customer.tags, ["staff", "test"]))
//	order.amount >= "99.00 CNY"
//	customer.orders * 10 > customer.age_days
//
// Conditions are joined with and, or, not (&&, ||, !) and brackets. // and /* */ are
// comments. By the kind of the fact:
//
//   - number: == != < <= > >=, in [1, 2]; + - * / calculate. 1 <= fact <= 5 is a range.
//   - text: == !=, in [...], contains, startsWith, endsWith, and not in, not contains ... Letter case counts.
//   - bool: by its name alone, or == true, == false.
//   - set: "a" in fact, "a" not in fact, hasAny(fact, [...]), hasAll, hasNone.
//   - time: == != < <= > >= with "2026-11-11 10:00", "2026-11-11 10:00:30", or RFC 3339, in the zone of
//     the vocabulary. A date alone is the whole day: <= "2026-11-11" holds until it ends, > after it, == during it.
//   - amount: == != < <= > >= with "99.00 CNY". Amounts in two currencies can't be compared: that is unknown.
//
// true lets everybody qualify.
//
// # What isn't known
//
// A fact that wasn't set is unknown, a comparison with it too; so is a division by zero.
// Answers combine as in Kleene's logic, which is SQL's: "no and unknown" is no, "yes or
// unknown" is yes. A rule that comes out Unknown does not qualify, and Explain names the
// facts it lacked. Learning a fact never turns a Yes into a No or back.
//
// # What is refused
//
// When a rule is saved, each with its place in the text, a message in both languages and,
// for a misspelt name or value, what was probably meant: facts that aren't declared, values
// of another kind than their fact, values that a fact with closed choices never has,
// results that aren't yes or no, comparisons without any fact, and whatever could take long
// or surprise: loops and closures, variables, if and else, pipes, calls other than hasAny,
// hasAll and hasNone, members and indexes, regular expressions, ranges, nil. A text has at
// most MaxBytes and MaxNodes, a fact's value at most MaxTextBytes or MaxSetSize: the work of one answer is
// bounded by their product, and there is no memory to it.
//
// # Other forms of a rule
//
// Builder is the rule as a form, for people who don't write expressions; Parse and Text turn
// one into the other. Tally counts a
// rule over many cases. Explain and Describe put it in words.
//
// The syntax is read by github.com/expr-lang/expr; meaning, checking and evaluation are
// here (docs/adr/0010).
package rule
