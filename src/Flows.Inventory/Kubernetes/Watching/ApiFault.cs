using System.Globalization;
using System.Text.Json;
using Flows.Inventory.Kubernetes.Reading;

namespace Flows.Inventory.Kubernetes.Watching;

/// <summary>The API server refused, by HTTP status or by an ERROR event.</summary>
internal sealed class ApiFault : Exception
{
    private ApiFault(int code, string message, TimeSpan? retryAfter) : base(message) => (Code, RetryAfter) = (code, retryAfter);

    /// <summary>As an HTTP status.</summary>
    public int Code { get; }

    /// <summary>When the server wants to be asked again.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>The version or the continue token is too old: list anew.</summary>
    public bool IsExpired => Code == 410;

    /// <summary>Of few values, for counting.</summary>
    public string Reason => IsExpired ? "expired" : string.Create(CultureInfo.InvariantCulture, $"http_{Code}");

    /// <param name="code">The HTTP status; 0 where only the body tells.</param>
    /// <param name="body">A v1 Status, or whatever a proxy sends.</param>
    /// <param name="resource">What was asked for.</param>
    /// <param name="retryAfter">The header.</param>
    public static ApiFault Of(int code, ReadOnlySpan<byte> body, Resource resource, TimeSpan? retryAfter)
    {
        var (told, reason, message) = Status(body);
        code = reason is "Expired" or "Gone" ? 410 : code != 0 ? code : told != 0 ? told : 500;
        return new(code, $"{resource.Name}: the API server answered {code.ToString(CultureInfo.InvariantCulture)}{(message.Length > 0 ? $" ({message})" : "")}{Remedy(code, resource)}", retryAfter);
    }

    private static string Remedy(int code, Resource resource) => code switch
    {
        401 => "; the credentials are wrong or ran out",
        403 => $"; grant get, list and watch on {resource.Name} to this account, as deploy/kustomize/base/server-rbac.yaml does",
        404 => $"; the cluster does not serve {resource.Path}, which every Kubernetes since 1.21 does",
        _ => "",
    };

    private static (int Code, string Reason, string Message) Status(ReadOnlySpan<byte> body)
    {
        var (code, reason, message) = (0, "", "");
        try
        {
            var json = new Utf8JsonReader(body);
            if (Cursor.Enter(ref json))
            {
                while (Cursor.Next(ref json))
                {
                    if (json.ValueTextEquals("code"u8))
                    {
                        json.Read();
                        code = json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var number) ? number : 0;
                    }
                    else if (json.ValueTextEquals("reason"u8))
                    {
                        reason = Cursor.ReadText(ref json);
                    }
                    else if (json.ValueTextEquals("message"u8))
                    {
                        message = Cursor.ReadText(ref json);
                    }
                    else
                    {
                        json.Skip();
                    }
                }
            }
        }
        catch (Exception fault) when (fault is JsonException or FormatException or InvalidOperationException)
        {
            // Expected: a proxy in between answers with a page of its own; the status must do.
        }

        return (code, reason, message.Length <= 300 ? message : message[..300]);
    }
}
