"""What can go wrong, and how it is said.

    ConfigurationError(ValueError)      a setting
    NewsletterError                     what was asked for cannot be done
      UnsupportedFeature                  the mailing service cannot do it
      UnknownCampaign                     no campaign has this key
      NotReviewed                         what lies at the service is not what was composed here
      AmbiguousCampaign                   several campaigns at the service have one key
      PageNotLive                         the page that a letter links to cannot be read as it was built
      ProviderError                       the mailing service's answer
        AuthenticationFailed                it does not know the token, or the token may not do this
        Rejected                            it will not have the request
        RateLimited                         too many requests; nothing was done
        ProviderUnavailable                 it cannot be reached or is out of order; nothing was done
        SubmissionUncertain                 no answer: nobody knows whether it was done
        UnexpectedResponse                  an answer that makes no sense

Each message names the setting or the campaign, and the remedy.
"""

from __future__ import annotations


class ConfigurationError(ValueError):
    """A setting that cannot be used: the setting, the value found there, and the remedy."""

    def __init__(self, setting: str, value: object, remedy: str) -> None:
        super().__init__(f"{setting} = {value!r}: {remedy}")
        self.setting = setting
        self.value = value
        self.remedy = remedy


class NewsletterError(Exception):
    """What was asked for cannot be done, and what to do about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy


class UnsupportedFeature(NewsletterError):
    """The mailing service cannot do this."""


class UnknownCampaign(NewsletterError):
    """No campaign has this key."""


class NotReviewed(NewsletterError):
    """What lies at the service is not what was composed here."""


class AmbiguousCampaign(NewsletterError):
    """Several campaigns at the service have one key: whichever is started, the other may be too."""


class PageNotLive(NewsletterError):
    """The page that a letter links to cannot be read as it was built."""


class ProviderError(NewsletterError):
    """What a mailing service answered, or that it did not.

    `campaign` is a key, "" where the request concerned none; `status` is HTTP's, 0 without an answer; `excerpt` is the
    beginning of the answer, which holds no secret of ours.
    """

    default_remedy = "Run the command again: what was done is found, and nothing is done twice."

    def __init__(
        self,
        provider: str,
        campaign: str,
        status: int,
        excerpt: str,
        *,
        problem: str = "",
        remedy: str = "",
    ) -> None:
        answered = f" answered {status}" if status else ""
        about = f" about {campaign}" if campaign else ""
        said = f" ({excerpt})" if excerpt else ""
        told = f": {problem}" if problem else ""
        super().__init__(f"{provider}{answered}{about}{told}{said}", remedy or self.default_remedy)
        self.provider = provider
        self.campaign = campaign
        self.status = status
        self.excerpt = excerpt


class AuthenticationFailed(ProviderError):
    """The service does not know the token, or the token may not do this."""

    default_remedy = (
        "Set NEWSLETTER_TOKEN (NEWSLETTER_FORMER_TOKEN for the service used before) to a token that is valid there and "
        "may do this."
    )


class Rejected(ProviderError):
    """The service will not have the request as it is; asking again changes nothing."""

    default_remedy = "Mend what it names."


class RateLimited(ProviderError):
    """Too many requests. Nothing was done; `retry_after` are seconds, None where the service does not say."""

    default_remedy = "Wait, and run the command again."

    def __init__(self, provider: str, campaign: str, status: int, excerpt: str, retry_after: float | None) -> None:
        problem = "too many requests" + (f", try again in {retry_after:.0f} s" if retry_after is not None else "")
        super().__init__(provider, campaign, status, excerpt, problem=problem)
        self.retry_after = retry_after


class ProviderUnavailable(ProviderError):
    """The service cannot be reached or is out of order. Nothing was done that a second try would do twice."""

    default_remedy = (
        "See whether it runs and NEWSLETTER_API (NEWSLETTER_FORMER_API for the service used before) is its address; "
        "then run the command again."
    )


class SubmissionUncertain(ProviderError):
    """The request was sent, and what came of it is not known."""


class UnexpectedResponse(ProviderError):
    """An answer that makes no sense: of another program, or of another version."""

    default_remedy = "See whether NEWSLETTER_API is the address of the service's API, of a version we know."
