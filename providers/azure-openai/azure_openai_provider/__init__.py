"""OpenAI's models as deployed in Azure."""

from azure_openai_provider.provider import AzureOpenAI

__all__ = ["AzureOpenAI"]
