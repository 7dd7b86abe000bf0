using System.Globalization;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Which recurring times an observation has covered. Hours are UTC.</summary>
public static class Periods
{
    public const string Weekend = "weekend";

    // Of a period so much has to have been watched: single hours are not it.
    private const int HoursLeast = 12;

    private static readonly (string Name, Func<DateTime, bool> Holds)[] All =
    [
        ("weekdays", hour => !IsWeekend(hour) && hour.Hour is >= 6 and < 20),
        ("weekday nights", hour => !IsWeekend(hour) && hour.Hour is < 6 or >= 20),
        (Weekend, IsWeekend),
        ("month end", hour => hour.Day == DateTime.DaysInMonth(hour.Year, hour.Month)),
        ("month start", hour => hour.Day == 1),
    ];

    /// <summary>The periods of which less than twelve hours were watched, in a fixed order.</summary>
    /// <param name="watched">Hours in which anything was observed.</param>
    public static IReadOnlyList<string> NotSeen(HourSet watched)
    {
        var hours = watched.Hours.Select(TimeOf).ToList();
        return [.. All.Where(period => hours.Where(period.Holds).Take(HoursLeast).Count() < HoursLeast).Select(period => period.Name)];
    }

    /// <summary>The hours of the week that hold any of these, such as <c>Mon 08-10, Tue 08</c>; <c>always</c> for all 168.</summary>
    public static string OfWeek(HourSet hours)
    {
        // Monday first.
        var seen = hours.Hours.Select(TimeOf).Select(time => ((((int)time.DayOfWeek + 6) % 7) * 24) + time.Hour).ToHashSet();
        if (seen.Count == 7 * 24)
        {
            return "always";
        }

        List<string> spans = [];
        for (var day = 0; day < 7; day++)
        {
            for (var hour = 0; hour < 24; hour++)
            {
                var from = hour;
                while (hour < 24 && seen.Contains((day * 24) + hour))
                {
                    hour++;
                }

                if (hour > from)
                {
                    var name = CultureInfo.InvariantCulture.DateTimeFormat.AbbreviatedDayNames[(day + 1) % 7];
                    spans.Add(FormattableString.Invariant($"{name} {from:00}") + (hour - from == 1 ? "" : FormattableString.Invariant($"-{hour - 1:00}")));
                }
            }
        }

        return string.Join(", ", spans);
    }

    private static DateTime TimeOf(int hour) => DateTime.UnixEpoch.AddHours(hour);

    private static bool IsWeekend(DateTime hour) => hour.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
}
