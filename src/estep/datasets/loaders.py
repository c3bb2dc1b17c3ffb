"""The data sets shipped as CSV files; README.md beside this file names the source of each."""

from __future__ import annotations

from estep.datasets.files import Dataset, read


def load_faithful() -> Dataset:
    """Old Faithful geyser: 272 eruptions, two clear groups.

    Returns
    -------
    Dataset
        Columns `eruptions` (length, minutes) and `waiting` (to the next eruption, minutes); no class.

    References
    ----------
    Azzalini, A. and Bowman, A. W. (1990), Applied Statistics 39, 357-365.
    Härdle, W. (1991), Smoothing Techniques with Implementation in S, Springer.

    Examples
    --------
    >>> from estep.datasets import load_faithful
    >>> load_faithful().values[0].tolist()
    [3.6, 79.0]
    """
    return read("faithful", "Old Faithful geyser: length of an eruption and wait to the next, minutes.")


def load_airquality() -> Dataset:
    """Daily air quality in New York, May to September 1973: 153 days with holes.

    44 cells are missing: 37 of `Ozone` and 7 of `Solar.R`; 111 rows are complete.

    Returns
    -------
    Dataset
        Columns `Ozone` (parts per billion), `Solar.R` (langleys), `Wind` (miles per hour), `Temp`
        (degrees Fahrenheit), `Month` and `Day`. A normal model is for the first four only:
        `load_airquality().select("Ozone", "Solar.R", "Wind", "Temp")`. No class.

    References
    ----------
    Chambers, J. M., Cleveland, W. S., Kleiner, B. and Tukey, P. A. (1983), Graphical Methods for
    Data Analysis, Wadsworth.

    Examples
    --------
    >>> import numpy as np
    >>> from estep.datasets import load_airquality
    >>> np.isnan(load_airquality().values).sum(axis=0).tolist()
    [37, 7, 0, 0, 0, 0]
    """
    return read(
        "airquality", "Air quality in New York, May to September 1973, a row a day; 44 cells missing."
    )


def load_casino() -> Dataset:
    """The occasionally dishonest casino: 300 rolls of a fair die or of a loaded one.

    Returns
    -------
    Dataset
        One column, `roll`, 1 to 6, in the order of time: one sequence; `target` is the die, F (fair) or
        L (loaded: a six half of the time).

    References
    ----------
    Durbin, R., Eddy, S., Krogh, A. and Mitchison, G. (1998), Biological Sequence Analysis, section 3.2,
    Cambridge University Press.

    Examples
    --------
    >>> import numpy as np
    >>> from estep.datasets import load_casino
    >>> np.bincount(load_casino().target).tolist()
    [204, 96]
    """
    return read("casino", "300 rolls of two dice in turn, one fair and one loaded.", "die")


def load_iris() -> Dataset:
    """Fisher's irises: 150 flowers of three species.

    Returns
    -------
    Dataset
        Columns `Sepal.Length`, `Sepal.Width`, `Petal.Length` and `Petal.Width`, in centimetres;
        `target` is the species, 50 rows of each.

    References
    ----------
    Fisher, R. A. (1936), Annals of Eugenics 7, 179-188.
    Anderson, E. (1935), Bulletin of the American Iris Society 59, 2-5.

    Examples
    --------
    >>> from estep.datasets import load_iris
    >>> load_iris().target_names
    ('setosa', 'versicolor', 'virginica')
    """
    return read("iris", "Fisher's irises: sizes of sepals and petals, cm; three species.", "Species")


def load_earthquakes() -> Dataset:
    """Earthquakes of magnitude 7 or more in the world, a count a year, 1900 to 2006.

    Returns
    -------
    Dataset
        Columns `year` and `count`, 107 rows in the order of time: one sequence. A model of the counts
        takes `load_earthquakes().select("count")`. No class.

    References
    ----------
    Zucchini, W., MacDonald, I. L. and Langrock, R. (2016), Hidden Markov Models for Time Series,
    2nd edition, Chapman & Hall/CRC.

    Examples
    --------
    >>> from estep.datasets import load_earthquakes
    >>> load_earthquakes().select("count")[:3, 0].tolist()
    [13.0, 14.0, 8.0]
    """
    return read("earthquakes", "Earthquakes of magnitude 7 or more in the world, by year, 1900 to 2006.")


def load_galaxies() -> Dataset:
    """Speeds of 82 galaxies of the Corona Borealis region.

    The 78th value is 26690, as in R's MASS; the paper has 26960. It is kept, so that published
    results on the MASS data can be compared.

    Returns
    -------
    Dataset
        One column, `velocity`, in km/s, in rising order. No class.

    References
    ----------
    Postman, M., Huchra, J. P. and Geller, M. J. (1986), The Astronomical Journal 92, 1238-1247.
    Roeder, K. (1990), Journal of the American Statistical Association 85, 617-624.

    Examples
    --------
    >>> from estep.datasets import load_galaxies
    >>> load_galaxies().values.shape
    (82, 1)
    """
    return read("galaxies", "Speeds of 82 galaxies of the Corona Borealis region, km/s.")


def load_geyser() -> Dataset:
    """Old Faithful geyser, watched without a break from 1 to 15 August 1985: 299 eruptions in order.

    Waiting times are whole minutes, so each is known to half a minute either side. Of eruptions at night some
    lengths were only told as short, medium or long, and are given as 2, 3 and 4 minutes.

    Returns
    -------
    Dataset
        Columns `waiting` (for this eruption, minutes) and `duration` (its length, minutes), in the order of
        time: one sequence. No class.

    References
    ----------
    Azzalini, A. and Bowman, A. W. (1990), Applied Statistics 39, 357-365.

    Examples
    --------
    >>> from estep.datasets import load_geyser
    >>> load_geyser().select("waiting")[:3, 0].tolist()
    [80.0, 71.0, 57.0]
    """
    return read("geyser", "Old Faithful geyser, August 1985: wait for an eruption and its length, minutes.")
