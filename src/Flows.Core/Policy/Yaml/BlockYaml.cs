using System.Buffers;

namespace Flows.Core.Policy;

/// <summary>
/// The plain part of YAML in which nearly all policies are written: blocks of objects and lists, scalars that begin and end on one line, comments on lines of their own,
/// ASCII. Some ten times as fast as <see cref="YamlText"/>, which matters for a set of a hundred thousand policies. It never guesses and never refuses: what is not
/// surely of this part, which goes for everything that is wrong, is left to the library.
/// </summary>
internal ref struct BlockYaml
{
    // A longer key is none (YAML 1.2.2, 8.2.2).
    private const int KeyMost = 1024;

    // Each new key is compared with those before it.
    private const int KeysMost = 64;

    private static readonly SearchValues<char> Known = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(code => (char)code), '\n']);
    private static readonly SearchValues<char> KeyCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-");

    private readonly ReadOnlySpan<char> text;
    private readonly int depthMax;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> words;

    // The line that is read: where it begins, what of it is read already, where it ends, and the column of what comes next.
    private int begin;
    private int at;
    private int end;
    private int column;
    private int line;
    private Kind kind;

    private BlockYaml(string text, int depthMax)
    {
        this.text = text;
        (this.depthMax, end) = (depthMax, -1);
        words = new HashSet<string>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
    }

    private enum Kind
    {
        Content,
        Separator,
        End,
        Unknown,
    }

    /// <summary>The documents; null where the library has to look.</summary>
    public static IReadOnlyList<DocumentNode>? TryRead(string text, int depthMax) =>
        text.AsSpan().ContainsAnyExcept(Known) ? null : new BlockYaml(text, depthMax).Documents();

    private List<DocumentNode>? Documents()
    {
        List<DocumentNode> documents = [];
        NextLine();
        do
        {
            if (kind == Kind.Separator)
            {
                NextLine();
            }

            if (kind != Kind.Content || Block(depth: 0) is not { } document || kind is not (Kind.Separator or Kind.End))
            {
                return null;
            }

            documents.Add(document);
        }
        while (kind == Kind.Separator);
        return documents;
    }

    /// <summary>The list or object that begins here, and the lines that belong to it.</summary>
    private DocumentNode? Block(int depth) => depth >= depthMax ? null : IsDash ? List(depth) : Object(depth);

    private ListNode? List(int depth)
    {
        var (own, first) = (column, line);
        List<DocumentNode> items = [];
        while (kind == Kind.Content && column == own && IsDash)
        {
            Skip(1);
            if (at == end || Item(depth + 1) is not { } item)
            {
                return null;
            }

            items.Add(item);
        }

        return Ended(own) ? new ListNode(first, items) : null;
    }

    private DocumentNode? Item(int depth) => IsDash || KeyLength() is not null ? Block(depth) : Scalar();

    private ObjectNode? Object(int depth)
    {
        var (own, first) = (column, line);
        List<KeyValuePair<DocumentNode, DocumentNode>> entries = [];
        while (kind == Kind.Content && column == own && !IsDash)
        {
            if (KeyLength() is not { } length)
            {
                return null;
            }

            var key = Key(length);
            if (entries.Count == KeysMost || entries.Exists(entry => entry.Key.Scalar == key.Scalar))
            {
                return null;
            }

            Skip(length + 1);
            if ((at < end ? Scalar() : Below(own, depth + 1)) is not { } value)
            {
                return null;
            }

            entries.Add(new(key, value));
        }

        return entries.Count > 0 && Ended(own) ? new ObjectNode(first, entries) : null;
    }

    /// <summary>What stands under a key; a list may stand as far left as the key itself.</summary>
    private DocumentNode? Below(int own, int depth)
    {
        NextLine();
        return kind == Kind.Content && (column > own || (column == own && IsDash)) ? Block(depth) : null;
    }

    /// <summary>The block ended where another to its left goes on; a line further to the right would belong to the scalar before it, a dash below keys to nothing.</summary>
    private readonly bool Ended(int own) => kind is Kind.Separator or Kind.End || (kind == Kind.Content && (column < own || (column == own && !IsDash)));

    private readonly bool IsDash => text[at] == '-' && (at + 1 == end || text[at + 1] == ' ');

    /// <summary>The length of the key that begins here, with its quotes; null where none does.</summary>
    private readonly int? KeyLength()
    {
        var rest = text[at..end];
        var length = rest[0] switch
        {
            '"' or '\'' => QuotedLength(rest),
            var c when char.IsAsciiLetterOrDigit(c) || c == '_' => rest.IndexOfAnyExcept(KeyCharacters),
            _ => -1,
        };
        return length is > 0 and < KeyMost && length < rest.Length && rest[length] == ':' && (length + 1 == rest.Length || rest[length + 1] == ' ') ? length : null;
    }

    private readonly ScalarNode Key(int length) => text[at] is '"' or '\''
        ? new ScalarNode(line, Word(text.Slice(at + 1, length - 2)), isPlain: false)
        : new ScalarNode(line, Word(text.Slice(at, length)), isPlain: true);

    /// <summary>The scalar, or the empty list or object, that is the rest of the line.</summary>
    private DocumentNode? Scalar()
    {
        var rest = text[at..end].TrimEnd(' ');
        DocumentNode? scalar = rest switch
        {
            "{}" => new ObjectNode(line, []),
            "[]" => new ListNode(line, []),
            ['"' or '\'', ..] => QuotedLength(rest) == rest.Length ? new ScalarNode(line, Word(rest[1..^1]), isPlain: false) : null,
            _ => IsPlain(rest) ? new ScalarNode(line, Word(rest), isPlain: true) : null,
        };
        NextLine();
        return scalar;
    }

    /// <summary>With both quotes; -1 where the text ends on another line, or has escapes.</summary>
    private static int QuotedLength(ReadOnlySpan<char> rest)
    {
        var close = rest[1..].IndexOfAny(rest[0], '\\');
        return close < 0 || rest[close + 1] == '\\' || (close + 2 < rest.Length && rest[close + 2] == rest[0]) ? -1 : close + 2;
    }

    private static bool IsPlain(ReadOnlySpan<char> rest) =>
        (char.IsAsciiLetterOrDigit(rest[0]) || rest[0] is '_' or '.' or '/' or '~' or '+' or '(' or '$' or '^' or '=' or '<' || (rest[0] == '-' && rest.Length > 1 && rest[1] != ' '))
        && rest[^1] != ':' && !rest.Contains(": ", StringComparison.Ordinal) && !rest.Contains(" #", StringComparison.Ordinal);

    /// <summary>The same words stand in policies over and over.</summary>
    private readonly string Word(ReadOnlySpan<char> word)
    {
        if (!words.TryGetValue(word, out var known))
        {
            known = word.ToString();
            words.Set.Add(known);
        }

        return known;
    }

    /// <summary>Passes over so many characters and the spaces after them.</summary>
    private void Skip(int length)
    {
        at += length;
        while (at < end && text[at] == ' ')
        {
            at++;
        }

        column = at - begin;
    }

    /// <summary>Goes to the next line that is neither empty nor a comment.</summary>
    private void NextLine()
    {
        while (true)
        {
            begin = end + 1;
            if (begin >= text.Length)
            {
                kind = Kind.End;
                return;
            }

            line++;
            at = begin;
            var length = text[begin..].IndexOf('\n');
            end = length < 0 ? text.Length : begin + length;
            Skip(0);
            if (at < end && text[at] != '#')
            {
                kind = column > 0 ? Kind.Content : text[begin..end] switch
                {
                    "---" => Kind.Separator,
                    ['-', '-', '-', ..] or ['.', '.', '.', ..] or ['%', ..] => Kind.Unknown,
                    _ => Kind.Content,
                };
                return;
            }
        }
    }
}
