"""What a relay's reply means."""

import pytest

from mailroom.clock import HOUR, MINUTE
from mailroom.delivery.replies import Reply, Stage, Verdict, classify, classify_report, read_reply, wait_after


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("5.1.1 <somebody@example.org> no such user", "5.1.1"),
        ("5.1.10 null MX\n5.1.10 at all", "5.1.10"),
        ("4.7.1", "4.7.1"),
        ("5.1.1", "5.1.1"),
        ("no such user 5.1.1", ""),
        ("5.1.1.2 is an address", ""),
        ("5.1", ""),
        ("3.1.1 is no class", ""),
        ("5.1.1234 has too many digits", ""),
        ("", ""),
    ],
)
def test_of_a_reply_code_and_status_are_kept(text: str, status: str) -> None:
    reply = read_reply(550, text)
    assert reply == Reply(550, status)
    assert "somebody" not in repr(reply)
    assert str(reply) == f"550 {status}".strip()


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DATA, Stage.END])
@pytest.mark.parametrize("status", ["5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1"])
def test_only_a_mailbox_that_is_none_bounces(stage: Stage, status: str) -> None:
    assert classify(Reply(550, status), stage) is Verdict.BOUNCED
    assert classify(Reply(554, status), stage) is Verdict.BOUNCED
    assert classify_report(status) is Verdict.BOUNCED


@pytest.mark.parametrize("status", ["", "5.7.1", "5.2.2", "5.1.0", "5.1.2", "5.7.26", "5.0.0", "5.1.11", "4.1.1"])
def test_any_other_refusal_says_nothing_of_the_address(status: str) -> None:
    for stage in (Stage.RCPT, Stage.DATA, Stage.END):
        assert classify(Reply(550, status), stage) is Verdict.REFUSED
        assert classify(Reply(554, status), stage) is Verdict.REFUSED
    assert classify_report(status) is Verdict.REFUSED


@pytest.mark.parametrize("code", [421, 454, 530, 534, 535, 538])
@pytest.mark.parametrize("stage", Stage)
def test_the_relay_itself_may_be_what_fails(code: int, stage: Stage) -> None:
    assert classify(Reply(code, "5.1.1"), stage) is Verdict.RELAY


@pytest.mark.parametrize("reply", [Reply(550, "5.1.1"), Reply(451, "4.3.0"), Reply(554), Reply(250)])
def test_before_the_recipient_nothing_is_said_of_the_letter(reply: Reply) -> None:
    assert classify(reply, Stage.MAIL) is Verdict.RELAY
    assert classify(reply, Stage.CONNECT) is Verdict.RELAY


@pytest.mark.parametrize("reply", [Reply(450, "4.2.0"), Reply(451), Reply(452, "4.2.2"), Reply(450, "5.1.1")])
def test_what_is_temporary_is_tried_again(reply: Reply) -> None:
    for stage in (Stage.RCPT, Stage.DATA, Stage.END):
        assert classify(reply, stage) is Verdict.DEFERRED


def test_only_the_reply_to_a_letter_says_that_it_was_taken() -> None:
    assert classify(Reply(250, "2.0.0"), Stage.END) is Verdict.SENT
    for stage in Stage:
        for code in (250, 200, 354, 399, 0, -1, 600):
            if (stage, code) not in ((Stage.END, 250), (Stage.END, 200)):
                assert classify(Reply(code), stage) in (Verdict.DEFERRED, Verdict.RELAY)


def test_attempts_are_half_an_hour_apart_and_then_ever_farther() -> None:
    waits = [wait_after(attempts) for attempts in range(1, 9)]
    assert waits[:6] == [30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR]
    assert set(waits[6:]) == {16 * HOUR}
