using Flows.Capture.Names;
using Flows.Core.Facts;
using Flows.Tests.Support;
using Xunit;

namespace Flows.Tests.Names;

public sealed class DnsAnswerTests
{
    private readonly DnsAnswer answer = new();

    [Fact]
    public void Addresses_of_both_families_have_the_name_asked_for_and_the_shortest_ttl()
    {
        var message = new DnsWriter("Www.Example.COM")
            .Alias("www.example.com", "edge.cdn.example.net", ttl: 300).Alias("edge.cdn.example.net", "e7.cdn.example.net", ttl: 20)
            .Address("e7.cdn.example.net", "192.0.2.1", ttl: 90).Address("e7.cdn.example.net", "2001:db8::1", ttl: 60).Edns().Build();

        Assert.Equal(DnsResult.Answered, answer.Read(message, cut: false));
        Assert.Equal("www.example.com", DnsName.Text(answer.Question));
        Assert.Equal(["192.0.2.1", "2001:db8::1"], Addresses());
        Assert.Equal(20u, answer.TtlSeconds);
    }

    [Fact]
    public void Records_out_of_order_are_followed_all_the_same()
    {
        var message = new DnsWriter("a.example").Address("c.example", "192.0.2.3").Alias("b.example", "c.example").Alias("a.example", "b.example").Build();
        Assert.Equal(DnsResult.Answered, answer.Read(message, cut: false));
        Assert.Equal(["192.0.2.3"], Addresses());
    }

    [Fact]
    public void A_dname_redirects_what_is_below_it_and_nothing_else()
    {
        var below = new DnsWriter("host.old.example").Alias("old.example", "new.example", ttl: 7, type: DnsWriter.Dname).Address("host.new.example", "192.0.2.4").Build();
        Assert.Equal(DnsResult.Answered, answer.Read(below, cut: false));
        Assert.Equal(["192.0.2.4"], Addresses());
        Assert.Equal(7u, answer.TtlSeconds);

        var beside = new DnsWriter("hold.example").Alias("old.example", "new.example", type: DnsWriter.Dname).Address("h.new.example", "192.0.2.4").Build();
        Assert.Equal(DnsResult.NoAddress, answer.Read(beside, cut: false));
    }

    [Fact]
    public void What_the_question_does_not_lead_to_names_nothing()
    {
        var poisoned = new DnsWriter("a.example").Address("bank.example", "192.0.2.66").Address("a.example", "192.0.2.1")
            .Raw("a.example", DnsWriter.Ns, 60, [0], section: 1).Address("a.example", "192.0.2.67", section: 2).Address("a.example", "192.0.2.68", @class: 3).Build();
        Assert.Equal(DnsResult.Answered, answer.Read(poisoned, cut: false));
        Assert.Equal(["192.0.2.1"], Addresses());

        var elsewhere = new DnsWriter("a.example").Address("bank.example", "192.0.2.66").Build();
        Assert.Equal(DnsResult.NoAddress, answer.Read(elsewhere, cut: false));
    }

    [Fact]
    public void What_is_no_answer_has_its_reason()
    {
        (DnsResult Result, DnsWriter Message)[] cases =
        [
            (DnsResult.NotAnAnswer, new DnsWriter("a.example", flags: 0x0100)),
            (DnsResult.NotAnAnswer, new DnsWriter("a.example", flags: 0xA800).Address("a.example", "192.0.2.1")),
            (DnsResult.NotAnAnswer, new DnsWriter(null)),
            (DnsResult.NotAnAnswer, new DnsWriter("version.bind", @class: 3)),
            (DnsResult.NxDomain, new DnsWriter("a.example", flags: 0x8183)),
            (DnsResult.Failed, new DnsWriter("a.example", flags: 0x8182)),
            (DnsResult.NoAddress, new DnsWriter("a.example", type: DnsWriter.Https).Raw("a.example", DnsWriter.Https, 60, [0, 1, 0])),
            (DnsResult.NoAddress, new DnsWriter("a.example").Alias("a.example", "b.example").Alias("b.example", "a.example").Address("c.example", "192.0.2.1")),
            (DnsResult.Truncated, new DnsWriter("a.example", flags: 0x8380)),
            (DnsResult.Malformed, new DnsWriter("a.example").Announce()),
            (DnsResult.Malformed, new DnsWriter("a.example").Raw("a.example", DnsWriter.A, 60, [1, 2, 3])),
            (DnsResult.Malformed, new DnsWriter("a.example").Raw("a.example", DnsWriter.Cname, 60, [1, (byte)'b', 0, 0])),
        ];
        Assert.All(cases, one => Assert.Equal(one.Result, answer.Read(one.Message.Build(), cut: false)));
        Assert.Equal(DnsResult.Malformed, answer.Read([], cut: false));
    }

    [Fact]
    public void Pointers_lead_back_or_nowhere()
    {
        byte[][] owners =
        [
            // To itself, forward, past the end, in a circle of two, and a reserved kind of label (RFC 1035 4.1.4, RFC 6891 5).
            [0xC0, 27], [0xC0, 40], [0xFF, 0xFF], [1, (byte)'x', 0xC0, 27], [0x41, (byte)'x', 0],
        ];
        foreach (var owner in owners)
        {
            var writer = new DnsWriter("a.example");
            Assert.Equal(27, writer.Length);
            var message = writer.Announce().Bytes([.. owner, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]).Build();
            Assert.Equal(DnsResult.Malformed, answer.Read(message, cut: false));
        }
    }

    [Fact]
    public void Names_have_the_length_that_names_may_have()
    {
        string Long(int last) => string.Join('.', Enumerable.Repeat(new string('a', 63), 3).Append(new string('b', last)));
        Assert.Equal(DnsResult.Answered, answer.Read(new DnsWriter(Long(61)).Address(Long(61), "192.0.2.1").Build(), cut: false));
        Assert.Equal(Long(61), DnsName.Text(answer.Question));
        Assert.Equal(DnsResult.Malformed, answer.Read(new DnsWriter(Long(62)).Address(Long(62), "192.0.2.1").Build(), cut: false));
    }

    [Fact]
    public void Odd_bytes_are_escaped_as_master_files_do()
    {
        Assert.Equal(DnsResult.Answered, answer.Read(new DnsWriter("_a-\0\u00ff\"\\ .Exämple").Address("_a-\0\u00ff\"\\ .Exämple", "192.0.2.1").Build(), cut: false));
        Assert.Equal(@"_a-\000\255\034\092\032.ex\228mple", DnsName.Text(answer.Question));
        Assert.Equal(DnsName.Text(answer.Question).Length, DnsName.TextLength(answer.Question));
    }

    [Fact]
    public void A_cut_message_gives_the_records_that_are_whole()
    {
        var whole = new DnsWriter("a.example").Address("a.example", "192.0.2.1").Address("a.example", "192.0.2.2").Build();
        for (var length = 0; length < whole.Length; length++)
        {
            // Each record takes 16 bytes: a pointer, ten of header, four of address.
            var expected = length < 27 + 16 ? DnsResult.Truncated : DnsResult.Answered;
            Assert.Equal(expected, answer.Read(whole.AsSpan(0, length), cut: true));
            Assert.Equal(length < 27 + 16 ? 0 : 1, answer.Addresses.Length);
            Assert.Equal(DnsResult.Malformed, answer.Read(whole.AsSpan(0, length), cut: false));
        }
    }

    [Fact]
    public void No_more_records_and_steps_are_taken_than_any_sound_answer_has()
    {
        var many = new DnsWriter("a.example");
        for (var i = 0; i < 200; i++)
        {
            many.Address("a.example", $"192.0.2.{i}");
        }

        Assert.Equal(DnsResult.Answered, answer.Read(many.Build(), cut: false));
        Assert.Equal(DnsAnswer.RecordsMax, answer.Addresses.Length);
        Assert.InRange(answer.StepsTaken, 1, 2000);

        // 64 aliases of a hundred labels each: no answer, and no more work than the limit.
        var maze = new DnsWriter(string.Join('.', Enumerable.Repeat("a", 120)));
        for (var i = 0; i < DnsAnswer.RecordsMax; i++)
        {
            maze.Raw(string.Join('.', Enumerable.Repeat("a", 120)), DnsWriter.Cname, 60, [0xC0, 12]);
        }

        Assert.NotEqual(DnsResult.Answered, answer.Read(maze.Build(), cut: false));
        Assert.InRange(answer.StepsTaken, 1, DnsAnswer.StepsMax);
    }

    [Fact]
    public void A_million_mutated_messages_end_without_exception_and_within_the_steps()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        byte[][] sound =
        [
            new DnsWriter("www.example.com").Alias("www.example.com", "b.example.net").Address("b.example.net", "192.0.2.1").Address("b.example.net", "2001:db8::1").Edns().Build(),
            new DnsWriter("host.old.example").Alias("old.example", "new.example", type: DnsWriter.Dname).Address("host.new.example", "192.0.2.4").Build(),
            new DnsWriter(string.Join('.', Enumerable.Repeat("a", 120))).Raw(string.Join('.', Enumerable.Repeat("a", 120)), DnsWriter.Cname, 1, [0xC0, 12]).Build(),
        ];
        var answered = 0;
        for (var turn = 0; turn < 1_000_000; turn++)
        {
            var message = sound[turn % sound.Length].AsSpan().ToArray();
            for (var flips = random.Next(1, 5); flips > 0; flips--)
            {
                message[random.Next(message.Length)] = random.Next(4) == 0 ? (byte)0xC0 : (byte)random.Next(256);
            }

            var result = answer.Read(message.AsSpan(0, message.Length - (random.Next(4) == 0 ? random.Next(message.Length) : 0)), cut: random.Next(2) == 0);
            Assert.True(answer.StepsTaken <= DnsAnswer.StepsMax);
            if (result == DnsResult.Answered)
            {
                answered++;
                Assert.Equal(DnsName.TextLength(answer.Question), DnsName.Text(answer.Question).Length);
            }
        }

        Assert.InRange(answered, 10_000, 990_000);
    }

    private string[] Addresses() => [.. answer.Addresses.ToArray().Select(address => address.ToString())];
}
