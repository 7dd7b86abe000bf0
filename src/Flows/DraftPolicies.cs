using System.Security.Cryptography;
using System.Text;
using Flows.Core;
using Flows.Core.Policy;
using Flows.Verbs;

namespace Flows;

/// <summary>A set of policies in files that somebody works on, read again when they change. What cannot be read leaves the last set in force.</summary>
internal sealed class DraftPolicies
{
    private readonly DraftOptions options;
    private string seen;
    private string complaint = "";

    private DraftPolicies(DraftOptions options, string content, PolicySet set) => (this.options, seen, Set, Name) = (options, content, set, content[..12]);

    /// <summary>The cluster whose pods it governs; null where the store knows pods of one at most.</summary>
    public string? Cluster => options.Cluster;

    public PolicySet Set { get; private set; }

    /// <summary>Changes with the content: what an earlier draft would have done stays apart.</summary>
    public string Name { get; private set; }

    /// <exception cref="FlowsException">The policies are missing or invalid.</exception>
    public static DraftPolicies Open(DraftOptions options)
    {
        var documents = PolicyFiles.Read(options.Path);
        return new DraftPolicies(options, ContentOf(documents), PolicyReader.Read(documents));
    }

    /// <summary>Reads the files again where they changed.</summary>
    /// <returns>Whether there is another set now.</returns>
    public bool Refresh()
    {
        try
        {
            var documents = PolicyFiles.Read(options.Path);
            var content = ContentOf(documents);
            if (content == seen)
            {
                return false;
            }

            seen = content;
            (Set, Name, complaint) = (PolicyReader.Read(documents), content[..12], "");
            return true;
        }
        catch (Exception fault) when (fault is FlowsException or IOException or UnauthorizedAccessException)
        {
            if (complaint != fault.Message)
            {
                complaint = fault.Message;
                Console.Error.WriteLine(VisibleText.Of($"flows: warning: the draft's policies cannot be read, the last ones stay: {fault.Message}"));
            }

            return false;
        }
    }

    private static string ContentOf(IReadOnlyList<PolicyDocument> documents)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var document in documents)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{document.Text.Length}\n{document.Text}"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
