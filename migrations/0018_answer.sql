-- What a loudspeaker answered to its newest orders is asked by whoever looks at its page.

create index receipt_answer on receipt (controller, at) where kind in ('order', 'refusal');
