using System.Text;

namespace Flows.Core.Policy;

/// <summary>One file of a suggestion. It is made as it is written: the evidence of a large fleet takes gigabytes.</summary>
/// <param name="Name">Where it goes below the suggestion's directory; with one folder at most.</param>
/// <param name="WriteTo">Writes its content, UTF-8; as often as it is asked to, always the same.</param>
public sealed record SuggestedFile(string Name, Action<Stream> WriteTo)
{
    public static SuggestedFile Of(string name, string text) => new(name, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
