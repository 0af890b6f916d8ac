"""What AWS answers to each probe, and who is known to answer otherwise.

Both tables are asserted, so an emulator that mends its ways is noticed, too. The first is taken
from AWS's documents; running the suite with `COMANDA_CONTRACT_AWS=1` asks AWS itself.
"""

from collections.abc import Callable
from typing import Any

from tests import messaging_probes_sns as sns
from tests import messaging_probes_sqs as sqs
from tests.messaging_wire import Wire

Probe = Callable[[Wire], Any]
_REFUSED = "InvalidParameterValue"
_NOTIFICATION = {"Type": "Notification", "Message": "m"}
AWS: dict[Probe, Any] = {
    sqs.unknown_queue: "NonExistentQueue",
    sqs.eleven_at_once: _REFUSED,
    sqs.wait_of_21_seconds: _REFUSED,
    sqs.delay_of_901_seconds: _REFUSED,
    sqs.visibility_beyond_12_hours: _REFUSED,
    sqs.no_such_receipt: "ReceiptHandleIsInvalid",
    sqs.empty_body: "MissingParameter",
    sqs.control_character: "InvalidMessageContents",
    sqs.body_of_a_mebibyte: ["taken", _REFUSED],
    sqs.eleven_attributes: _REFUSED,
    sqs.wrong_attribute_type: _REFUSED,
    sqs.wrong_batches: [
        "EmptyBatchRequest",
        "TooManyEntriesInBatchRequest",
        "BatchEntryIdsNotDistinct",
        "InvalidBatchEntryId",
    ],
    sqs.batch_of_more_than_a_mebibyte: "BatchRequestTooLong",
    sqs.batch_with_a_bad_entry: (["good"], [("bad", "ReceiptHandleIsInvalid", True)]),
    sqs.binary_and_number_attributes: True,
    sqs.attributes_are_asked_for_by_name: [["aa", "ab"], ["b"]],
    # AWS promises only that it may not delete; the harder of the two is held to.
    sqs.delete_with_an_old_receipt: ("taken", 1),
    sqs.delete_twice: ["taken", "taken"],
    sqs.handed_back_messages_come_at_once: ["2"],
    sqs.visibility_of_a_message_not_in_flight: "MessageNotInflight",
    sqs.delayed_messages_are_hidden: (0, 1),
    sqs.too_many_receives_end_among_the_dead_letters: ([1, 1, 0], True, True, True),
    sqs.a_queue_knows_whose_dead_letters_it_has: True,
    sqs.a_long_poll_wakes_for_a_message: (1, True),
    sns.unknown_topic: "NotFound",
    sns.empty_publication: "InvalidParameter",
    sns.publication_beyond_256_kib: ["taken", "InvalidParameter"],
    sns.wrong_publish_batches: ["TooManyEntriesInBatchRequest", "BatchEntryIdsNotDistinct"],
    sns.the_group_of_a_message_reaches_the_queue: {"single": "shop", "batch": "shop"},
    sns.senseless_policies: ["InvalidParameter"] * 4,
    sns.policies_over_attributes: {
        "exact": ["1"],
        "prefix": ["1"],
        "but": ["2", "3"],
        "numeric": ["1"],
        "absent": ["3"],
    },
    sns.policies_over_bodies: {
        "nested": ["1"],
        "prefix": ["1"],
        "but": ["2", "3"],
        "numeric": ["1"],
        "present": ["1", "2"],
        "null": [],
    },
    sns.wrapped_notifications: (
        {**_NOTIFICATION, "MessageAttributes": {"blob": {"Type": "Binary", "Value": "AP8="}}},
        False,
    ),
}
DIVERGENCES: dict[tuple[str, Probe], Any] = {
    ("moto", sqs.empty_body): "taken",
    ("moto", sqs.control_character): "taken",
    ("moto", sqs.eleven_attributes): "taken",
    ("moto", sqs.delete_with_an_old_receipt): ("taken", 0),
    ("moto", sqs.visibility_of_a_message_not_in_flight): "taken",
    # It does not say where a dead letter came from.
    ("moto", sqs.too_many_receives_end_among_the_dead_letters): ([1, 1, 0], True, True, False),
    ("moto", sns.empty_publication): "taken",
    # A policy that is not JSON ends in a page of HTML.
    ("moto", sns.senseless_policies): ["no answer of AWS's", *["InvalidParameter"] * 3],
    ("ministack", sqs.wait_of_21_seconds): "taken",
    ("ministack", sqs.delay_of_901_seconds): "taken",
    ("ministack", sqs.visibility_beyond_12_hours): "taken",
    ("ministack", sqs.eleven_attributes): "taken",
    ("ministack", sqs.wrong_attribute_type): "taken",
    ("ministack", sqs.delete_with_an_old_receipt): ("ReceiptHandleIsInvalid", 1),
    ("ministack", sqs.delete_twice): ["taken", "ReceiptHandleIsInvalid"],
    ("ministack", sqs.visibility_of_a_message_not_in_flight): "taken",
    ("ministack", sqs.a_queue_knows_whose_dead_letters_it_has): "InvalidAction",
    ("ministack", sns.empty_publication): "taken",
    ("ministack", sns.the_group_of_a_message_reaches_the_queue): {"single": "shop", "batch": None},
    ("ministack", sns.senseless_policies): ["taken"] * 4,
    # It forgets what is in a binary attribute.
    ("ministack", sns.wrapped_notifications): (
        {**_NOTIFICATION, "MessageAttributes": {"blob": {"Type": "Binary", "Value": ""}}},
        False,
    ),
}
