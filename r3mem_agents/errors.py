"""Every error this package raises on purpose.

R3MemError
├── InvalidInputError (ValueError)    a value that cannot be stored, asked or used
│   ├── TextTooLongError              more tokens than a base model has positions
│   └── DocumentError                 a document that cannot be read
│       ├── UnknownDocumentError      no text, HTML or PDF
│       ├── BrokenDocumentError       damaged, or in an encoding that is not known
│       ├── EncryptedDocumentError    a PDF that asks for a password
│       ├── EmptyDocumentError        no text in it, such as a PDF of scanned pages
│       └── LargeDocumentError        longer than is read
├── StoreError                        the file or database behind a memory
│   ├── StoreUnavailableError         cannot be opened, written or locked in time
│   ├── ReadOnlyError                 was opened to be read only
│   ├── KeyTakenError                 another writer was faster with the same key
│   ├── StaleTermsError               terms that other rules made
│   ├── StoreCorruptError             damaged, or the file of another program
│   │   └── DamagedTurnError          turns that cannot be read any more
│   └── FormatError                   written by another version of this package
├── ModelError                        a checkpoint or what was written with it
│   ├── CheckpointError               a checkpoint folder that is missing, damaged or unknown
│   ├── ModelMismatchError            memory tokens written with another model
│   ├── DivergedError                 a training whose loss is no number any more
│   ├── ExpansionError                memory tokens that do not expand to the text they came from
│   ├── ReadBackError                 a turn that would not have been read again
│   ├── EngineError                   the compiled part of this package is missing or another one's
│   ├── BaseModelError                a base model that memory tokens cannot be made with
│   └── OutOfMemoryError              too little memory to run a base model
├── ChatModelError                    a chat model that cannot be had, or does not answer
├── ServerError                       a server that cannot serve, or what it refuses
│   ├── PortInUseError                another program listens there
│   ├── OpenServerError               would be open to everybody: beyond this machine without tokens
│   ├── UnauthorizedError             a missing, wrong or removed token
│   ├── ForbiddenError                a foreign host name or origin, or what only some may do
│   ├── RequestTooLargeError          more than a server reads
│   └── TooManyRequestsError          more often than a server answers
├── NotFoundError (LookupError)       an unknown turn, user or session
├── MissingExtraError (ImportError)   an optional package that is not installed
└── HostVersionError (ImportError)    a host of another major version than its adapter

DamageWarning (UserWarning)           what is damaged was left out of what is returned
OtherGistsWarning (UserWarning)       turns are found by their words alone: another model read them
"""

from __future__ import annotations


class R3MemError(Exception):
    """Base of every error raised by r3mem_agents."""


class InvalidInputError(R3MemError, ValueError):
    """A value that cannot be stored, asked or used; nothing was changed."""


class TextTooLongError(InvalidInputError):
    """A text, with what is kept of its history, has more tokens than a base model has positions."""


class DocumentError(InvalidInputError):
    """A document that cannot be read; nothing of it was stored."""


class UnknownDocumentError(DocumentError):
    """A file that is neither text nor HTML nor PDF."""


class BrokenDocumentError(DocumentError):
    """A document that is damaged, or a text in an encoding that is not known."""


class EncryptedDocumentError(DocumentError):
    """A PDF that asks for a password."""


class EmptyDocumentError(DocumentError):
    """A document without text, such as a PDF of scanned pages."""


class LargeDocumentError(DocumentError):
    """A document that is longer than is read."""


class StoreError(R3MemError):
    """The file or database behind a memory."""


class StoreUnavailableError(StoreError):
    """The store cannot be opened, written or locked in time; nothing was changed."""


class ReadOnlyError(StoreError):
    """The memory was opened with ``read_only=True``; nothing was changed."""


class KeyTakenError(StoreError):
    """Another writer stored a turn with the same key in the same moment; nothing was changed.

    A memory catches it and returns that turn, so it reaches nobody who does not use a store itself.
    """


class StaleTermsError(StoreError):
    """The terms of a user's turns were made by other rules than this process has; nothing was done.

    A memory catches it and makes the terms anew, so it reaches nobody who does not use a store
    itself.
    """


class StoreCorruptError(StoreError):
    """The store is damaged, or is the file of another program."""


class DamagedTurnError(StoreCorruptError):
    """Turns that cannot be read any more."""


class FormatError(StoreError):
    """The bytes were written by another version of this package."""


class DamageWarning(UserWarning):
    """What is damaged in a file was left out of what is returned; the message names it.

    ``warnings.simplefilter("error", DamageWarning)`` makes it an error.
    """


class OtherGistsWarning(UserWarning):
    """Gists of another model count for nothing: their turns are found by their words alone."""


class ModelError(R3MemError):
    """A checkpoint, or memory tokens written with one."""


class CheckpointError(ModelError):
    """A checkpoint folder that is missing, damaged or of an unknown format."""


class ModelMismatchError(ModelError):
    """Memory tokens, or an adapter, that only another model than the one at hand can use."""


class DivergedError(ModelError):
    """A training whose loss is no number any more."""


class ExpansionError(ModelError):
    """Memory tokens that do not expand to the text they were made from."""


class ReadBackError(ModelError):
    """A turn that would not come back from what was about to be written; nothing was changed."""


class EngineError(ModelError):
    """The compiled part of this package is missing, or is of another version."""


class BaseModelError(ModelError):
    """A base model that memory tokens cannot be made with; the message says why."""


class OutOfMemoryError(ModelError):
    """The machine has too little memory to run a base model."""


class ChatModelError(R3MemError):
    """A chat model that cannot be had, or does not answer."""


class ServerError(R3MemError):
    """A server that cannot serve, or a request that it refuses."""


class PortInUseError(ServerError):
    """Another program listens at the address that a server was to have."""


class OpenServerError(ServerError):
    """A server would give every memory in a file to everybody who reaches it."""


class UnauthorizedError(ServerError):
    """A request without a token, or with one that is wrong or was removed."""


class ForbiddenError(ServerError):
    """A request under a foreign host name or from a foreign origin, or for what others may do."""


class RequestTooLargeError(ServerError):
    """A request with more bytes than a server reads; nothing was changed."""


class TooManyRequestsError(ServerError):
    """More requests than a server answers in this time; nothing was changed.

    Attributes:
        retry_after_s: Seconds after which it answers again.
    """

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotFoundError(R3MemError, LookupError):
    """An unknown turn, user or session."""


class MissingExtraError(R3MemError, ImportError):
    """An optional package that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install 'r3mem-agents[{extra}]'")


class HostVersionError(R3MemError, ImportError):
    """A host is installed in another major version than its adapter was written for."""

    def __init__(self, package: str, version: str, major: int, extra: str) -> None:
        super().__init__(
            f"{package} {version} is installed, and its adapter is for {package} {major}; run: "
            f"pip install 'r3mem-agents[{extra}]'"
        )
