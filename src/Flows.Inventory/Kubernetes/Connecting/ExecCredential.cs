using System.Diagnostics;
using System.Text.Json;
using Flows.Core;
using Flows.Inventory.Kubernetes.Reading;

namespace Flows.Inventory.Kubernetes.Connecting;

/// <summary>What a credential program handed out.</summary>
/// <param name="Token">Bearer token; empty for none.</param>
/// <param name="Certificate">PEM; empty for none.</param>
/// <param name="Key">PEM; empty for none.</param>
/// <param name="ExpiresUs">When to ask again; null for not before it is refused.</param>
internal sealed record Credential(string Token, string Certificate, string Key, long? ExpiresUs);

/// <summary>
/// A program that hands out credentials (client.authentication.k8s.io ExecCredential), as managed clusters use them. It is never asked interactively.
/// </summary>
internal sealed record ExecCredential(string ApiVersion, string Command, IReadOnlyList<string> Arguments, IReadOnlyList<KeyValuePair<string, string>> Environment)
{
    /// <summary>Such programs ask a cloud's service for a token; a minute is beyond any good answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>A token and a certificate chain with its key.</summary>
    private const int OutputCharsMax = 256 * 1024;

    /// <exception cref="IOException">The program is missing, failed, took too long, or did not say what it should.</exception>
    public async Task<Credential> AskAsync(TimeProvider time, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(Command, Arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }

        start.Environment["KUBERNETES_EXEC_INFO"] = $$$"""{"apiVersion":"{{{ApiVersion}}}","kind":"ExecCredential","spec":{"interactive":false}}""";
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            using var process = Process.Start(start) ?? throw new IOException($"the credential program '{Command}' did not start");
            process.StandardInput.Close();
            try
            {
                // Both pipes are read, or a program that complains at length would wait for ever.
                var complaints = process.StandardError.ReadToEndAsync(either.Token);
                var output = await process.StandardOutput.ReadToEndAsync(either.Token).ConfigureAwait(false);
                await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
                return process.ExitCode == 0 && output.Length <= OutputCharsMax
                    ? Parse(output)
                    : throw new IOException($"the credential program '{Command}' failed: {(await complaints.ConfigureAwait(false)).Trim()}");
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
        catch (System.ComponentModel.Win32Exception fault)
        {
            throw new IOException($"the credential program '{Command}' cannot be run: {fault.Message}", fault);
        }
        catch (OperationCanceledException fault) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"the credential program '{Command}' took more than {Patience.TotalSeconds:0} s", fault);
        }
    }

    private Credential Parse(string output)
    {
        var credential = new Credential("", "", "", null);
        try
        {
            var json = new Utf8JsonReader(System.Text.Encoding.UTF8.GetBytes(output));
            Cursor.Enter(ref json);
            while (Cursor.Next(ref json))
            {
                if (!json.ValueTextEquals("status"u8) || !Cursor.Enter(ref json))
                {
                    json.Skip();
                    continue;
                }

                while (Cursor.Next(ref json))
                {
                    credential = Property(ref json, credential);
                }
            }
        }
        catch (Exception fault) when (fault is JsonException or FormatException)
        {
            throw new IOException($"the credential program '{Command}' did not write an ExecCredential: {fault.Message}", fault);
        }

        return credential.Token.Length + credential.Certificate.Length > 0 ? credential : throw new IOException($"the credential program '{Command}' gave no credential");
    }

    private static Credential Property(ref Utf8JsonReader json, Credential credential)
    {
        if (json.ValueTextEquals("token"u8))
        {
            return credential with { Token = Cursor.ReadText(ref json) };
        }

        if (json.ValueTextEquals("clientCertificateData"u8))
        {
            return credential with { Certificate = Cursor.ReadText(ref json) };
        }

        if (json.ValueTextEquals("clientKeyData"u8))
        {
            return credential with { Key = Cursor.ReadText(ref json) };
        }

        if (json.ValueTextEquals("expirationTimestamp"u8))
        {
            return credential with { ExpiresUs = Cursor.ReadTime(ref json) };
        }

        json.Skip();
        return credential;
    }
}
