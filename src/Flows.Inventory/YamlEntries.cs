using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Flows.Inventory;

/// <summary>
/// The entries of a YAML file: lists of mappings, in one document or several. Read as events, never as a tree. Every value is the text that stands
/// there, so a host may be called <c>no</c> or <c>1e3</c>; only an unquoted <c>null</c>, <c>~</c> or nothing says nothing.
/// </summary>
internal static class YamlEntries
{
    /// <summary>Deeper than anything that has a meaning here; the parser's own memory grows with depth.</summary>
    private const int DepthMax = 16;

    private static readonly InventoryFault NotAList = new("this is not a list of mappings", "begin every entry with '- addr: ...'");

    public static IEnumerable<InventoryEntry> Read(Stream stream)
    {
        var strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        using var reader = new StreamReader(new BoundedStream(stream, InventoryFile.YamlBytesMax), strict, detectEncodingFromByteOrderMarks: false);
        using var entries = new Cursor(reader);
        while (entries.Next() is { } entry)
        {
            yield return entry;
        }
    }

    /// <summary>Where reading stands. A document that is no YAML cannot be read on: what follows the fault is lost, and said to be.</summary>
    private sealed class Cursor(TextReader reader) : IDisposable
    {
        private readonly EntryWriter writer = new();
        private Parser? parser;
        private int skippedLines;
        private int depth;
        private bool ended;

        private long Line => parser!.Current!.Start.Line + skippedLines;

        public void Dispose() => writer.Dispose();

        public InventoryEntry? Next()
        {
            try
            {
                return ended ? null : Advance();
            }
            catch (YamlException fault)
            {
                return Lost(fault.Start.Line + skippedLines, $"not YAML: {fault.Message}");
            }
            catch (Exception fault) when (fault is DecoderFallbackException or InvalidDataException)
            {
                return Lost((parser?.Current?.Start.Line ?? 1) + skippedLines, fault is InvalidDataException ? fault.Message : "the file is not UTF-8");
            }
            catch (InvalidOperationException)
            {
                // The scanner's way to say so of a control character within a plain text.
                return Lost((parser?.Current?.Start.Line ?? 1) + skippedLines, "not YAML");
            }
        }

        private InventoryEntry Lost(long line, string reason)
        {
            ended = true;
            return InventoryEntry.Bad(line, $"{InventoryLine.Shown(reason)}; nothing after this was read", "mend it; put texts with special characters into double quotes");
        }

        private InventoryEntry? Advance()
        {
            if (parser is null)
            {
                // A comment is no event: the first line is looked at before the parser has it.
                if (reader.Peek() == '\uFEFF')
                {
                    reader.Read();
                }

                var comment = reader.Peek() == '#' ? reader.ReadLine() : null;
                skippedLines = comment is null ? 0 : 1;
                parser = new Parser(reader);
                if (comment is not null)
                {
                    return InventoryEntry.Remark(comment);
                }
            }

            while (parser.MoveNext())
            {
                switch (parser.Current)
                {
                    case MappingStart when depth == 1:
                        return Item();
                    case SequenceStart when depth == 0:
                        depth = 1;
                        break;
                    case SequenceEnd when depth == 1:
                        depth = 0;
                        break;
                    case Scalar scalar when IsNothing(scalar):
                    case StreamStart or StreamEnd or DocumentStart or DocumentEnd:
                        break;
                    default:
                        var line = Line;
                        Skip();
                        return new(line, default, NotAList);
                }
            }

            ended = true;
            return null;
        }

        /// <summary>Reads the mapping that begins here to its end, also where it has a fault.</summary>
        private InventoryEntry Item()
        {
            var line = Line;
            InventoryFault? fault = null;
            writer.Begin();
            while (!Ends())
            {
                try
                {
                    Pair();
                }
                catch (InventoryFaultException found)
                {
                    fault ??= found.Fault;
                }
            }

            try
            {
                return fault is null ? new(line, writer.End()) : new(line, default, fault);
            }
            catch (InventoryFaultException found)
            {
                return new(line, default, found.Fault);
            }
        }

        /// <summary>One key and its value. The parser stands on the key's first event before, on the value's last after, also when it throws.</summary>
        private void Pair()
        {
            var key = Key();
            if (parser!.Current is not MappingStart)
            {
                if (Text() is { } text)
                {
                    writer.Value(key, text);
                }

                return;
            }

            InventoryFault? fault = null;
            while (!Ends())
            {
                try
                {
                    Label(key);
                }
                catch (InventoryFaultException found)
                {
                    fault ??= found.Fault;
                }
            }

            if (fault is not null)
            {
                throw new InventoryFaultException(fault.Reason, fault.Remedy);
            }

            writer.Map(key);
        }

        private void Label(string key)
        {
            var name = Key();
            writer.Label(key, name, Text() ?? throw new InventoryFaultException(
                $"{InventoryLine.Shown(key)}: '{InventoryLine.Shown(name)}' has no value", "write NAME: VALUE; an empty text is \"\""));
        }

        /// <summary>The key that stands here; the parser goes on to its value, and past that where the key is a fault.</summary>
        private string Key()
        {
            var key = parser!.Current is Scalar scalar && !IsNothing(scalar) ? scalar.Value : null;
            Skip();
            parser.MoveNext();
            if (key is not null)
            {
                return key;
            }

            Skip();
            throw new InventoryFaultException("a key is no text", "write KEY: VALUE");
        }

        /// <summary>The text that stands here; null where nothing is said. Whatever else stands here is passed over, and a fault.</summary>
        private string? Text()
        {
            if (parser!.Current is Scalar scalar)
            {
                return IsNothing(scalar) ? null : scalar.Value;
            }

            var reason = parser.Current is AnchorAlias alias ? $"the alias *{InventoryLine.Shown(alias.Value.Value)} is not read" : "a value is a list or a mapping";
            Skip();
            throw new InventoryFaultException(reason, "write out the text");
        }

        /// <summary>Goes on; true at the end of the mapping.</summary>
        private bool Ends() => !parser!.MoveNext() || parser.Current is MappingEnd;

        /// <summary>Passes over the list or mapping that begins here.</summary>
        private void Skip()
        {
            for (var open = parser!.Current!.NestingIncrease; open > 0; open += parser.Current!.NestingIncrease)
            {
                if (open > DepthMax)
                {
                    throw new InvalidDataException($"nested more than {DepthMax} deep");
                }

                if (!parser.MoveNext())
                {
                    return;
                }
            }
        }

        private static bool IsNothing(Scalar scalar) => scalar is { Style: ScalarStyle.Plain, Value: "" or "~" or "null" or "Null" or "NULL" };
    }
}
