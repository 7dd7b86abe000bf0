using System.Globalization;
using System.Text;
using System.Xml;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Core.Policy;

namespace Flows.Verbs;

/// <summary>
/// A replay as JUnit XML, which every build server shows. Each denied connection is a failed case, each unsure one a skipped one; one case that passes
/// stands for all that is let through. What is allowed beyond, open or unused is told in the output of a suite that never fails.
/// </summary>
internal static class PolicyTestJUnit
{
    public static void Write(ReplayResult replay, TextWriter to)
    {
        using var xml = XmlWriter.Create(to, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true, CloseOutput = false });
        xml.WriteStartElement("testsuites");
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", "needed connections");
        xml.WriteAttributeString("tests", Text(replay.Denied.Count + replay.Unsure.Count + 1));
        xml.WriteAttributeString("failures", Text(replay.Denied.Count));
        xml.WriteAttributeString("skipped", Text(replay.Unsure.Count));
        Case(xml, string.Create(CultureInfo.InvariantCulture, $"{replay.Needed - replay.Denied.Count - replay.Unsure.Count} of {replay.Needed} needed edges are let through"), null, null);
        replay.Denied.ToList().ForEach(finding => Case(xml, Called(finding), "failure", finding));
        replay.Unsure.ToList().ForEach(finding => Case(xml, Called(finding), "skipped", finding));
        xml.WriteEndElement();
        Beyond(xml, replay);
        xml.WriteEndElement();
        xml.Flush();
        to.WriteLine();
    }

    private static void Case(XmlWriter xml, string name, string? outcome, ReplayFinding? finding)
    {
        xml.WriteStartElement("testcase");
        xml.WriteAttributeString("classname", finding is null ? "flows.policy" : $"flows.policy.{Visible(finding.Edge.Dst.Namespace)}");
        xml.WriteAttributeString("name", Visible(name));
        if (outcome is not null && finding is { Edge: var edge })
        {
            xml.WriteStartElement(outcome);
            xml.WriteAttributeString("message", Visible(finding.Sentence));
            xml.WriteString($"{edge.Connections} connections from {UnixTime.Text(edge.FirstSeenUs)} to {UnixTime.Text(edge.LastSeenUs)}, seen by {Visible(string.Join(", ", edge.Nodes))}");
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void Beyond(XmlWriter xml, ReplayResult replay)
    {
        var text = new StringBuilder();
        foreach (var edge in replay.Surplus.Edges)
        {
            text.Append(CultureInfo.InvariantCulture, $"allowed and never seen: {edge.Src} to {edge.Dst} on {IpProtocol.NameOf(edge.Protocol)} {edge.Port}, by {string.Join(", ", edge.By)}\n");
        }

        foreach (var one in replay.Uncovered)
        {
            text.Append(CultureInfo.InvariantCulture, $"open: {TestRule.Word(one.Direction)} of {one.Segment}\n");
        }

        foreach (var rule in replay.Rules.Where(rule => rule.State != "used"))
        {
            text.Append(CultureInfo.InvariantCulture, $"{rule.State}: {rule.Policy} {TestRule.Word(rule.Direction)}[{rule.Index}] {rule.Text}\n");
        }

        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", "beyond what was needed");
        xml.WriteAttributeString("tests", "1");
        xml.WriteAttributeString("failures", "0");
        Case(xml, string.Create(CultureInfo.InvariantCulture, $"{replay.Surplus.Count} connections allowed and never seen, {replay.Uncovered.Count} directions open"), null, null);
        xml.WriteElementString("system-out", Visible(text.ToString()));
        xml.WriteEndElement();
    }

    private static string Called(ReplayFinding finding) => string.Create(
        CultureInfo.InvariantCulture,
        $"{EdgeEvidence.Called(finding.Edge.Src)} to {EdgeEvidence.Called(finding.Edge.Dst)} on {IpProtocol.NameOf(finding.Edge.Protocol)} {finding.Edge.DstPort}");

    /// <summary>Names come from strangers, and XML has no way to say a control character.</summary>
    private static string Visible(string text) => string.Join('\n', text.Split('\n').Select(VisibleText.Of));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
